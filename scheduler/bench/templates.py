"""The nodes and pods of scheduler_perf, as JSON objects. Pure.

Figures from kubernetes/kubernetes test/integration/scheduler_perf/**/templates at 1.37.2. Two things differ, as an API
server is in between that scheduler_perf does without: every node has its hostname label, and a priority comes from a
PriorityClass (admission refuses a bare number).
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

ZONE, HOSTNAME = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
IMAGE = "registry.k8s.io/pause:3.10.2"
SMALL = {"cpu": "100m", "memory": "500Mi"}
HIGH_PRIORITY = "bench-high"
AFFINE_NAMESPACES = ["sched-1", "sched-0"]
ONE_NODE = "scheduler-perf-node"
"""The node that every pod of the daemonset-like workload names."""


def node(name: str, *, zone: str = "", pods: str = "110") -> Object:
    """4 CPU, 32Gi and 110 pods, ready; ``zone`` is its label, if any."""
    labels = {HOSTNAME: name} | ({ZONE: zone} if zone else {})
    amounts = {"cpu": "4", "memory": "32Gi", "pods": pods}
    ready = {"type": "Ready", "status": "True", "reason": "Simulated", "message": "a plain object"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"capacity": amounts, "allocatable": amounts, "conditions": [ready]},
    }


def pod(
    name: str, *, namespace: str = "default", labels: dict[str, str] | None = None,
    requests: dict[str, str] | None = None, limits: bool = True, **spec: Any,
) -> Object:  # fmt: skip
    """One pause container; ``requests`` (100m and 500Mi unless given) are its limits too, if ``limits`` is true."""
    wanted = SMALL if requests is None else requests
    container: Object = {"name": "pause", "image": IMAGE}
    if wanted:
        container |= {
            "ports": [{"containerPort": 80}],
            "resources": {"requests": wanted} | ({"limits": wanted} if limits else {}),
        }
    metadata: Object = {"name": name, "namespace": namespace} | ({"labels": labels} if labels else {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}}


def node_affinity(*zones: str) -> Object:
    """A pod's ``affinity`` that asks for one of the zones."""
    return _node_affinity({"matchExpressions": [{"key": ZONE, "operator": "In", "values": list(zones)}]})


def on_node(name: str) -> Object:
    """A pod's ``affinity`` that asks for one node by its name, as a daemonset's pods do."""
    return _node_affinity({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]})


def pod_affinity(color: str, *, key: str, anti: bool = False, preferred: bool = False) -> Object:
    """A pod's ``affinity`` to (or against) pods of a colour in the namespaces sched-0 and sched-1."""
    term = {"labelSelector": {"matchLabels": {"color": color}}, "topologyKey": key, "namespaces": AFFINE_NAMESPACES}
    terms = (
        {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}
        if preferred
        else {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    )
    return {"podAntiAffinity" if anti else "podAffinity": terms}


def spreading(color: str, *, hard: bool) -> list[Object]:
    """A pod's ``topologySpreadConstraints``: at most 5 more in one zone than in another."""
    return [
        {
            "maxSkew": 5,
            "topologyKey": ZONE,
            "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"color": color}},
        }
    ]


def priority_class(name: str, value: int) -> Object:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
    }


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def gang(name: str, *, namespace: str, least: int) -> Object:
    """A PodGroup of which ``least`` pods must be placed together."""
    return {
        "apiVersion": "scheduling.k8s.io/v1beta1",
        "kind": "PodGroup",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"schedulingPolicy": {"gang": {"minCount": least}}},
    }


def service(name: str, *, namespace: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": "foo"}, "ports": [{"protocol": "TCP", "port": 8080, "targetPort": 8080}]},
    }


def placed(pod: Object, node: str) -> Object:
    """The pod as already bound to ``node``."""
    return pod | {"spec": pod["spec"] | {"nodeName": node}}


def _node_affinity(term: Object) -> Object:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
