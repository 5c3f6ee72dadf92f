"""A worker loses its power: its pods come back on the others, and it comes back as a node."""

from __future__ import annotations

import time

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client, Manifest, Manifests
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.suites.functional.manifests import container, deployment, named, use_images

from .repeating import pytest_generate_tests
from .settled import is_ready, wait_until_nodes_ready

__all__ = ["pytest_generate_tests"]
REPLICAS = 4
TOLERATED_S = 5
"""How long pods of this test stay bound to a node that is lost; Kubernetes' default is 300."""
GONE_S = 180.0
BACK_S = 180.0
GONE = "node.kubernetes.io/{}"


@pytest.mark.idc(proves="controller", needs=[Capability.REAL_PODS, Capability.HOST_FAULTS, Capability.HOST_POWER])
@pytest.mark.idc_disruptive
def test_pods_of_a_lost_worker_come_back_elsewhere(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, repetition: int
) -> None:
    """Pods of a worker without power are replaced on others, and the worker is a node again when it has power."""
    if len(idc_cluster.workers) < 2:
        pytest.skip("needs two workers, one of which stays")
    use_images(idc_cluster.facts.images)
    namespace = f"idc-loss-{repetition}-{time.monotonic_ns()}"
    idc_client.create(named("Namespace", namespace))
    try:
        _lose_and_mend(idc_cluster, idc_client, idc_record, namespace)
    finally:
        idc_client.delete("Namespace", namespace)


def _lose_and_mend(cluster: LiveCluster, client: Client, record: Record, namespace: str) -> None:
    workers = [host.name for host in cluster.workers]
    client.create(_spread(workers), namespace)
    pods = client.wait_for_list("Pod", _all_ready, namespace, timeout_s=90.0, what="all ready")
    lost = _most(pods)
    acted_ns = time.monotonic_ns()
    cluster.faults.stop_host(lost)
    try:
        client.wait_for("Node", lost, lambda node: not is_ready(node), timeout_s=GONE_S, what="not ready")
        noticed_s = (time.monotonic_ns() - acted_ns) / 1e9
        client.wait_for_list(
            "Pod", lambda pods: _all_ready([pod for pod in pods if _node(pod) != lost]), namespace, timeout_s=GONE_S,
            what="all ready on other nodes",
        )  # fmt: skip
        replaced_s = (time.monotonic_ns() - acted_ns) / 1e9
    finally:
        back_ns = time.monotonic_ns()
        cluster.faults.start_host(lost)
    wait_until_nodes_ready(client, len(client.list("Node")), timeout_s=BACK_S)
    _keep(record, noticed_s, replaced_s, (time.monotonic_ns() - back_ns) / 1e9)


def _spread(workers: list[str]) -> Manifest:
    """Pods on workers alone, evenly, that leave a lost node soon."""
    tolerations = [
        {"key": GONE.format(what), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATED_S}
        for what in ("not-ready", "unreachable")
    ]
    spread = {
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }  # fmt: skip
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": workers}]}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    pods = {"tolerations": tolerations, "topologySpreadConstraints": [spread], "affinity": affinity}
    return deployment("web", replicas=REPLICAS, pods=pods | {"containers": [container()]})


def _all_ready(pods: Manifests) -> bool:
    going = [pod for pod in pods if "deletionTimestamp" in pod["metadata"]]
    return sum(map(is_ready, pods)) - sum(map(is_ready, going)) >= REPLICAS


def _most(pods: Manifests) -> str:
    """The node with most of the pods."""
    nodes = [_node(pod) for pod in pods]
    return max(sorted(set(nodes)), key=nodes.count)


def _node(pod: Manifest) -> str:
    return str(pod["spec"].get("nodeName", ""))


def _keep(record: Record, noticed_s: float, replaced_s: float, back_s: float) -> None:
    since = "from when the power of a worker was cut until"
    labels = {"tolerated_s": str(TOLERATED_S)}
    record("failover.node_noticed", noticed_s, unit="s", better="lower", definition=f"{since} its node is not ready")
    record(
        "failover.pods_replaced", replaced_s, unit="s", better="lower", labels=labels,
        definition=f"{since} as many of its Deployment's pods as there were are ready on other nodes",
    )  # fmt: skip
    record(
        "failover.node_back", back_s, unit="s", better="lower",
        definition="from when a worker was given its power again until every node is ready",
    )  # fmt: skip
