"""The manifests of the checks: pure functions, plain dictionaries, only what a check needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from idcbench.kube.crud import Manifest

IMAGE = "registry.k8s.io/pause:3.10"
"""Sleeps; with ``-v`` it prints its version and exits 0. Nothing is pulled on simulated nodes; a cluster that has the
like of it under another name says so (`idcbench.cluster.ClusterFacts.images`)."""
RESTRICTED: Manifest = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What pod security ``restricted`` asks of a container, as a namespace may demand it."""
_images = {"pause": IMAGE, "podtool": ""}
OUTCOME = "idcbench.io/outcome"
"""The annotation that tells simulated nodes what is to become of a pod (provisioning/nodes/stages.yaml)."""
Outcome = Literal["running", "succeeded", "failed", "unready"]
Labels = dict[str, str]
_CONTAINER: dict[Outcome, Manifest] = {
    "running": {},
    "succeeded": {"args": ["-v"]},
    "failed": {"command": ["/there-is-no-such-program"]},
    "unready": {"readinessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 1}},
}
"""What makes the container end so on real nodes."""


def named(
    kind: str, name: str, *, api_version: str = "v1", labels: Labels | None = None, meta: Manifest | None = None,
    **fields: Any,
) -> Manifest:  # fmt: skip
    """An object of any kind; ``fields`` are what it has beside its metadata, ``meta`` what that has beside the name."""
    metadata = {"name": name} | ({"labels": labels} if labels else {}) | (meta or {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata} | fields


def use_images(images: Mapping[str, str]) -> None:
    """From now on pods are made of these, by the names ``pause`` and ``podtool``; others stay as they are."""
    _images.update(images)


def image(name: str) -> str:
    """The image in use; empty when this cluster has none of that name."""
    return _images[name]


def container(outcome: Outcome = "running", **fields: Any) -> Manifest:
    made = {"name": "main", "image": image("pause"), "securityContext": RESTRICTED}
    return made | _CONTAINER[outcome] | fields


def requests(**amounts: str) -> Manifest:
    """Resources of a container that asks for these amounts and is limited to them."""
    return {"requests": amounts, "limits": amounts}


def pod_spec(outcome: Outcome = "running", *, resources: Manifest | None = None, **spec: Any) -> Manifest:
    """One container that ends as ``outcome`` says, and what else ``spec`` holds."""
    main = container(outcome, **({"resources": resources} if resources else {}))
    return {"containers": [main], "terminationGracePeriodSeconds": 0} | spec


def pod(
    name: str, *, labels: Labels | None = None, outcome: Outcome = "running", resources: Manifest | None = None,
    **spec: Any,
) -> Manifest:  # fmt: skip
    made = named("Pod", name, labels=labels, spec=pod_spec(outcome, resources=resources, **spec))
    made["metadata"]["annotations"] = {OUTCOME: outcome}
    return made


def pod_template(app: str, outcome: Outcome = "running", **spec: Any) -> Manifest:
    """Pods with the label ``app``."""
    metadata = {"labels": {"app": app}, "annotations": {OUTCOME: outcome}}
    return {"metadata": metadata, "spec": pod_spec(outcome, **spec)}


def on_node(node: str) -> Manifest:
    """The part of a pod's spec that ties it to one node, by way of the scheduler."""
    return {"nodeSelector": {"kubernetes.io/hostname": node}}


def deployment(
    name: str, *, replicas: int = 1, outcome: Outcome = "running", pods: Manifest | None = None, **spec: Any
) -> Manifest:
    """A Deployment; ``pods`` adds to the spec of its pods, ``spec`` to its own."""
    return _workload("Deployment", name, {"replicas": replicas} | spec, outcome, pods or {})


def stateful_set(
    name: str, *, replicas: int = 1, outcome: Outcome = "running", pods: Manifest | None = None, **spec: Any
) -> Manifest:
    own = {"replicas": replicas, "serviceName": name} | spec
    return _workload("StatefulSet", name, own, outcome, pods or {})


def daemon_set(name: str, *, outcome: Outcome = "running", pods: Manifest | None = None, **spec: Any) -> Manifest:
    return _workload("DaemonSet", name, spec, outcome, pods or {})


def _workload(kind: str, name: str, spec: Manifest, outcome: Outcome, pods: Manifest) -> Manifest:
    selected = {"selector": {"matchLabels": {"app": name}}, "template": pod_template(name, outcome, **pods)}
    return named(kind, name, api_version="apps/v1", spec=selected | spec)


def job(name: str, *, outcome: Outcome = "succeeded", **spec: Any) -> Manifest:
    return named("Job", name, api_version="batch/v1", spec=job_spec(outcome, **spec))


def job_spec(outcome: Outcome = "succeeded", **spec: Any) -> Manifest:
    """A Job whose pods are never restarted in place."""
    return {"template": pod_template("job", outcome, restartPolicy="Never")} | spec


def cron_job(name: str, *, minute: int, outcome: Outcome = "succeeded", **spec: Any) -> Manifest:
    """A CronJob that is due once an hour, at that minute."""
    own = {"schedule": f"{minute} * * * *", "timeZone": "Etc/UTC", "jobTemplate": {"spec": job_spec(outcome)}}
    return named("CronJob", name, api_version="batch/v1", spec=own | spec)


def config_map(name: str, *, labels: Labels | None = None, meta: Manifest | None = None, **fields: Any) -> Manifest:
    return named("ConfigMap", name, labels=labels, meta=meta, **fields)


def owned_by(owner: Manifest, *, blocking: bool = False) -> Manifest:
    """The metadata that makes an object a dependent of ``owner``, as the server returned it."""
    reference = {key: owner[key] for key in ("apiVersion", "kind")}
    reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    return {"ownerReferences": [reference | ({"blockOwnerDeletion": True} if blocking else {})]}


def service(name: str, *, app: str, **spec: Any) -> Manifest:
    """A Service on port 80 for the pods with the label ``app``."""
    return named("Service", name, spec={"selector": {"app": app}, "ports": [{"port": 80}]} | spec)


def claim(name: str, *, storage_class: str, size: str = "1Gi") -> Manifest:
    return named("PersistentVolumeClaim", name, spec=claim_spec(storage_class=storage_class, size=size))


def claim_spec(*, storage_class: str, size: str = "1Gi") -> Manifest:
    requested = {"requests": {"storage": size}}
    return {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, "resources": requested}


def volume(name: str, *, storage_class: str, size: str = "1Gi") -> Manifest:
    """A PersistentVolume that is kept when its claim goes. Its directory is there on every Linux node."""
    spec = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": "/tmp"},
    }
    return named("PersistentVolume", name, spec=spec)


def storage_class(name: str, *, binding: str = "Immediate", expandable: bool = False) -> Manifest:
    """A StorageClass whose volumes are made by hand."""
    return named(
        "StorageClass", name, api_version="storage.k8s.io/v1", provisioner="kubernetes.io/no-provisioner",
        volumeBindingMode=binding, allowVolumeExpansion=expandable,
    )  # fmt: skip


def using_claim(name: str) -> Manifest:
    """The part of a pod's spec that uses a claim."""
    return {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]}


def role(name: str, *rules: Manifest, kind: str = "Role", **fields: Any) -> Manifest:
    return named(kind, name, api_version="rbac.authorization.k8s.io/v1", rules=[*rules], **fields)


def rule(resources: str, *verbs: str, groups: str = "", names: tuple[str, ...] = ()) -> Manifest:
    """Verbs on resources, which are separated by commas as in kubectl; on the objects ``names`` alone, if given."""
    allowed = {"apiGroups": groups.split(","), "resources": resources.split(","), "verbs": [*verbs]}
    return allowed | ({"resourceNames": [*names]} if names else {})


def role_binding(name: str, role: str, account: str, namespace: str, *, role_kind: str = "Role") -> Manifest:
    """Gives a service account of ``namespace`` what the role allows there."""
    return _binding("RoleBinding", name, role_kind, role, account, namespace)


def cluster_role_binding(name: str, role: str, account: str, namespace: str) -> Manifest:
    """Gives a service account of ``namespace`` what the cluster role allows everywhere."""
    return _binding("ClusterRoleBinding", name, "ClusterRole", role, account, namespace)


def _binding(kind: str, name: str, role_kind: str, role: str, account: str, namespace: str) -> Manifest:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role}
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]
    return named(kind, name, api_version="rbac.authorization.k8s.io/v1", roleRef=reference, subjects=subjects)


def disruption_budget(name: str, *, app: str, min_available: int) -> Manifest:
    spec = {"minAvailable": min_available, "selector": {"matchLabels": {"app": app}}}
    return named("PodDisruptionBudget", name, api_version="policy/v1", spec=spec)


def priority_class(name: str, value: int, **fields: Any) -> Manifest:
    return named("PriorityClass", name, api_version="scheduling.k8s.io/v1", value=value, **fields)
