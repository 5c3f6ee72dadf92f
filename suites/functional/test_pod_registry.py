"""The registry in the cluster: what is pushed on one host is pulled on another."""

from __future__ import annotations

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client
from idcbench.plugin.live import LiveCluster

from .manifests import image
from .states import name_of
from .tool import server, started, tool

NAMESPACE, NAME, PORT = "idcbench-registry", "registry", 5000


CTR = ("ctr", "--namespace", "k8s.io", "images")


@pytest.mark.idc(proves="kubelet", needs=[Capability.REAL_PODS])
def test_image_pushed_on_one_host_runs_on_another(
    idc_cluster: LiveCluster, idc_client: Client, namespace: str, unique: str
) -> None:
    """An image that a host pushes into the cluster's registry is pulled by another host, and runs there by that name.

    The runtime is asked for it, not kubelet: kubelet would remember that this content was pulled, and from then on run
    the image that came with the host only after pulling that one too.
    """
    found = idc_client.find("Service", NAME, NAMESPACE)
    if found is None:
        pytest.skip(f"needs a registry in the cluster, as the Service {NAME} in {NAMESPACE}; there is none")
    if not idc_cluster.workers:
        pytest.skip("needs a worker beside the control planes, to pull on; this cluster has none")
    tool()  # skips where there is nothing to push
    reference = f"{found['spec']['clusterIP']}:{PORT}/podtool:{unique}"
    pushing, pulling = idc_cluster.hosts[0], idc_cluster.workers[-1]
    pushing.run(*CTR, "tag", image("podtool"), reference).check()
    try:
        pushing.run(*CTR, "push", "--hosts-dir", "/etc/containerd/certs.d", reference, timeout_s=60.0).check()
    finally:
        pushing.run(*CTR, "remove", reference).check()
    pulling.run("crictl", "pull", reference, timeout_s=60.0).check()
    try:
        here = server("pulled", node=pulling.name, image=reference, imagePullPolicy="Never")
        [pod] = started(idc_client, namespace, here)
        assert [one["image"] for one in pod["status"]["containerStatuses"]] == [reference]
        assert idc_client.ask_pod("pulled", namespace, "/").strip() == name_of(pod)
    finally:
        pulling.run(*CTR, "remove", reference).check()
