"""kube-burner's density workloads under their own names, so that the figures can be set beside those of others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from idcbench.kube.crud import Client
from idcbench.measure.calls import Call
from idcbench.measure.loader import LoadPlan, run_load
from idcbench.measure.open_loop import Outcome
from idcbench.measure.podwatch import PodSteps, watching_pods
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress
from idcbench.runs.directory import Run

from .density import BURST, PODS_A_NAMESPACE, QPS, bucket_times, cluster_density
from .ground import node_count, own_namespace, own_namespaces, own_nodes
from .sizes import scaled
from .startup import encoded_pod, keep_lag

pytestmark = pytest.mark.idc_measuring
NODES, PODS_PER_NODE = 60, 30
"""30 pods a node is what ClusterLoader2's load test and SIG Scalability's published figures have."""
ITERATIONS = 30
LIMIT_S = 600.0
QUANTILES = {
    "PodScheduled": "scheduled",
    "Initialized": "initialized",
    "ContainersReady": "containers_ready",
    "Ready": "ready",
}
"""kube-burner's quantileName, and the step that it is."""


@pytest.mark.idc(needs=["many-nodes"])
def test_node_density(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Pause pods are created until each node holds as many as stated."""
    wanted = scaled(NODES, idc_scale, least=1)
    count = wanted * PODS_PER_NODE
    with own_nodes(idc_cluster, idc_client, progress=idc_progress) as nodes:
        nodes.grow_to(wanted)
        with own_namespace(idc_client) as namespace:
            body = encoded_pod("node-density-{n}", **nodes.selector).decode()
            call = Call(name="create pod", method="POST", path=f"/api/v1/namespaces/{namespace}/pods", body=body)
            plan = LoadPlan(planned_ns=bucket_times(count), calls=(call,), connections=QPS)
            pods = _create(idc_cluster, plan, count, idc_progress, namespace=namespace)
    labels = {"workload": "node-density", "nodes": str(wanted), "podsPerNode": str(PODS_PER_NODE), "pods": str(count)}
    _keep(idc_record.run, pods, labels)


def test_cluster_density(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Namespaces are filled with deployments, services, secrets, ConfigMaps and network policies."""
    iterations = scaled(ITERATIONS, idc_scale)
    with own_namespaces(idc_client, iterations) as namespaces:
        plan = cluster_density(namespaces)
        pods = _create(idc_cluster, plan, iterations * PODS_A_NAMESPACE, idc_progress, namespaces=namespaces)
    labels = {"workload": "cluster-density", "iterations": str(iterations), "nodes": str(node_count(idc_client))}
    _keep(idc_record.run, pods, labels | {"pods": str(len(pods.names))})


def _create(
    cluster: LiveCluster, plan: LoadPlan, count: int, progress: Progress, *, namespace: str = "",
    namespaces: list[str] | None = None,
) -> PodSteps:  # fmt: skip
    """Send the plan and wait until as many pods are ready."""
    progress("objects are created", total=len(plan.planned_ns), unit="objects")
    with watching_pods(cluster.access, namespace) as watching:
        load = run_load(cluster.access, plan)
        bad = len(load.sent) - load.counts()[Outcome.OK]
        assert not bad, f"{bad} of {len(load.sent)} objects were refused or not created in time"
        watching.wait("ready", count, timeout_s=LIMIT_S, progress=progress, what="pods get ready")
        steps = watching.steps()
    assert namespaces is None or int(steps.took("ready").sum()) == count
    return steps.only(steps.took("ready"))


def _keep(run: Run, pods: PodSteps, labels: Mapping[str, str]) -> None:
    own = dict(labels) | {"qps": str(QPS), "burst": str(BURST)}
    for name, step in QUANTILES.items():
        run.series(
            "density.pod_latency", unit="ms", better="lower", labels=own | {"quantileName": name},
            definition="kube-burner's podLatency, but to the millisecond: from the first event about a pod to the event"
            " that says this condition is True, by receipts of one watch; kube-burner takes both from the servers'"
            " stamps, which are whole seconds",
        ).add_many((pods.step(step) - pods.step("seen")) / 1e6, pods.step(step).tolist())  # fmt: skip
        stamp = {"PodScheduled": "scheduled", "Ready": "ready"}.get(name)
        if stamp:
            whole_s = (pods.stamp(stamp) - pods.stamp("created")).astype(np.float64)
            run.series(
                "density.pod_latency_by_server", unit="s", better="lower", labels=own | {"quantileName": name},
                clock="realtime", signed=True,
                definition="the same as kube-burner takes it: lastTransitionTime of the condition less"
                " creationTimestamp, whole seconds",
            ).add_many(whole_s, [int(at) * 10**9 for at in pods.stamp(stamp)])  # fmt: skip
    keep_lag(run, pods, {"of": labels["workload"]})
