"""kubelet and containerd are restarted under running pods, which must not notice."""

from __future__ import annotations

import time

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client, Manifest
from idcbench.plugin.live import LiveCluster
from idcbench.suites.functional.manifests import named, pod, use_images

from .settled import is_ready, wait_until_nodes_ready

WITHIN_S = 90.0


@pytest.mark.idc(proves="kubelet", needs=[Capability.REAL_PODS, Capability.HOST_FAULTS])
@pytest.mark.idc_disruptive
@pytest.mark.parametrize("verb", ["restart", "kill"])
@pytest.mark.parametrize("agent", ["kubelet", "containerd"])
def test_pods_do_not_notice(idc_cluster: LiveCluster, idc_client: Client, agent: str, verb: str) -> None:
    """A pod goes on in the same container while the agent below it is restarted or crashes, and the node is ready."""
    if not idc_cluster.workers:
        pytest.skip("needs a worker")
    use_images(idc_cluster.facts.images)
    host = idc_cluster.workers[-1].name
    namespace = f"idc-agents-{time.monotonic_ns()}"
    idc_client.create(named("Namespace", namespace))
    try:
        idc_client.create(pod("lasting", nodeName=host), namespace)
        before = idc_client.wait_for("Pod", "lasting", is_ready, namespace, what="ready")
        getattr(idc_cluster.faults, verb)(host, agent)
        idc_client.create(pod("later", nodeName=host), namespace)
        idc_client.wait_for("Pod", "later", is_ready, namespace, timeout_s=WITHIN_S, what="ready")
        wait_until_nodes_ready(idc_client, len(idc_client.list("Node")), timeout_s=WITHIN_S)
        after = idc_client.get("Pod", "lasting", namespace)
        assert _containers(after) == _containers(before)
    finally:
        idc_client.delete("Namespace", namespace)


def _containers(pod: Manifest) -> list[tuple[str, int]]:
    return [(one["containerID"], one["restartCount"]) for one in pod["status"]["containerStatuses"]]
