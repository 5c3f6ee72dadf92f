"""Logs, commands and requests into real pods, through the endpoint and through every API server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import ApiError, Client
from idcbench.plugin.live import LiveCluster

from .manifests import named
from .states import phase_is
from .tool import server, started, tool

pytestmark = pytest.mark.idc(proves="kubelet", needs=[Capability.REAL_PODS])


@pytest.fixture
def members(idc_cluster: LiveCluster, idc_client: Client) -> Iterator[list[Client]]:
    """A client for each API server."""
    if not idc_cluster.access.members:
        pytest.skip(f"needs API servers one by one, which target {idc_cluster.facts.target} does not have")
    clients = [idc_client.at(url) for url in idc_cluster.access.members]
    yield clients
    for client in clients:
        client.close()


def test_commands_run_in_pods_of_every_node_through_every_api_server(
    idc_client: Client, members: list[Client], namespace: str, nodes: list[str]
) -> None:
    """What a command in a pod writes, and its exit code, come through each API server and from each node."""
    started(idc_client, namespace, *(server(f"on-{node}", node=node) for node in nodes))
    for member in members:
        for node in nodes:
            done = member.exec(f"on-{node}", namespace, "podtool", "read", "/etc/hostname")
            assert (done.exit_code, done.stdout.strip()) == (0, f"on-{node}")
            assert member.exec(f"on-{node}", namespace, "podtool", "fail", "7").exit_code == 7


def test_logs_come_from_every_node_through_every_api_server(
    idc_client: Client, members: list[Client], namespace: str, nodes: list[str]
) -> None:
    """A pod's log is read through each API server, from each node's kubelet, whose certificate the cluster signed."""
    started(idc_client, namespace, *(server(f"on-{node}", node=node) for node in nodes))
    for member in members:
        for node in nodes:
            assert "serving on port 8080" in member.log(f"on-{node}", namespace)


def test_log_of_the_run_before_is_kept(idc_client: Client, namespace: str) -> None:
    """After a container has ended and was started again, the log of its first run is there as the previous one."""
    started(idc_client, namespace, server("web"))
    idc_client.ask_pod("web", namespace, "/client")
    with pytest.raises(ApiError):  # it ends before it answers
        idc_client.ask_pod("web", namespace, "/exit?code=1")
    idc_client.wait_for(
        "Pod", "web", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1, namespace,
        what="started again",
    )  # fmt: skip
    assert "GET /client" in idc_client.log("web", namespace, previous=True)


@pytest.mark.idc(negative=True)
def test_nobody_runs_commands_without_the_right(idc_client: Client, namespace: str) -> None:
    """A service account without rights may neither read a log nor run a command."""
    started(idc_client, namespace, server("web"))
    account = f"system:serviceaccount:{namespace}:default"
    with idc_client.as_user(account) as stranger, pytest.raises(ApiError, match="forbidden"):
        stranger.log("web", namespace)


def test_a_pod_ends_with_what_its_container_ended_with(idc_client: Client, namespace: str) -> None:
    """A container's exit code and its end are in the pod's status; the pod has failed."""
    spec = {"containers": [tool("fail", "3")], "restartPolicy": "Never"}
    idc_client.create(named("Pod", "short", spec=spec), namespace)
    pod = idc_client.wait_for("Pod", "short", phase_is("Failed"), namespace, what="failed")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3
