"""High availability: every member does its part, and of what must be one there is one."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client, Manifest
from idcbench.kube.session import ApiSession
from idcbench.kube.waiting import wait_until
from idcbench.measure.addresses import ADDRESSES, holds
from idcbench.plugin.live import LiveCluster, LiveHost

from .etcd import gauges
from .manifests import config_map

pytestmark = pytest.mark.idc(proves="api")
Hosts = tuple[LiveHost, ...]
ELECTION_S = 15.0
"""An election that goes on while the members are asked one by one is over within this."""
LEADERS = ("kube-controller-manager", "kube-scheduler")


@pytest.fixture
def members(idc_cluster: LiveCluster) -> tuple[str, ...]:
    """The URL of each API server."""
    if not idc_cluster.access.members:
        pytest.skip("needs to reach the API servers one by one, which this target does not offer")
    return idc_cluster.access.members


def read(cluster: LiveCluster, server: str, path: str) -> bytes:
    """Ask one API server, and nobody else."""

    async def ask() -> bytes:
        async with ApiSession(cluster.access, server=server, read_retries=0) as api:
            return await api.get(path)

    return cluster.portal.call(ask(), timeout_s=15)


def test_every_api_server_is_ready(idc_cluster: LiveCluster, members: tuple[str, ...]) -> None:
    """Each API server, asked by itself, says that it is ready and alive, and names no check that failed."""
    for server in members:
        for path in ("/readyz?verbose", "/livez?verbose"):
            said = read(idc_cluster, server, path).decode()
            assert "[-]" not in said, f"{server}: {said}"
            assert "check passed" in said


def test_every_api_server_reaches_etcd(idc_cluster: LiveCluster, members: tuple[str, ...]) -> None:
    """Each API server gets an answer from its etcd."""
    for server in members:
        assert read(idc_cluster, server, "/readyz/etcd") == b"ok", server


def test_every_etcd_member_follows_one_leader(hosts: Hosts) -> None:
    """Exactly one etcd leads, and each member knows a leader."""

    def look() -> tuple[bool | None, str]:
        found = {host.name: gauges(host) for host in hosts}
        leading = [name for name, each in found.items() if each["is_leader"]]
        lost = [name for name, each in found.items() if not each["has_leader"]]
        return (len(leading) == 1 and not lost) or None, f"leading {leading}, without a leader {lost}"

    wait_until("one etcd to lead and the others to follow", look, timeout_s=ELECTION_S)


@pytest.mark.idc(proves="controller")
@pytest.mark.parametrize("component", LEADERS)
def test_one_leader_renews_its_lease(idc_client: Client, component: str) -> None:
    """The controller-manager and the scheduler have one leader each, which renews its lease in time."""
    before = lease(idc_client, component)
    renewed = idc_client.wait_for(
        "Lease", component, lambda found: found["spec"]["renewTime"] != before["renewTime"], "kube-system",
        timeout_s=before["leaseDurationSeconds"], what="renewed",
    )["spec"]  # fmt: skip
    assert renewed["holderIdentity"] == before["holderIdentity"]
    assert renewed["leaseTransitions"] == before["leaseTransitions"]


@pytest.mark.idc(proves="controller")
@pytest.mark.parametrize("component", LEADERS)
def test_leader_runs_on_a_member(idc_client: Client, hosts: Hosts, component: str) -> None:
    """The leader is one of the control-plane hosts by its name."""
    holder = lease(idc_client, component)["holderIdentity"]
    assert holder.partition("_")[0] in {host.run("hostname").check().stdout.strip() for host in hosts}


def lease(client: Client, component: str) -> Manifest:
    found: Manifest = client.get("Lease", component, "kube-system")["spec"]
    return found


def test_endpoints_of_the_api_hold_every_member(idc_client: Client, members: tuple[str, ...]) -> None:
    """The Service kubernetes, by which pods reach the API, leads to every API server and to nothing else."""
    wanted = {urlsplit(server).hostname for server in members}
    idc_client.wait_for_list(
        "EndpointSlice", lambda slices: addresses(slices) == wanted, "default",
        label_selector="kubernetes.io/service-name=kubernetes", what=f"with {wanted}",
    )  # fmt: skip


def addresses(slices: list[Manifest]) -> set[str]:
    return {address for each in slices for endpoint in each["endpoints"] or () for address in endpoint["addresses"]}


def test_virtual_ip_is_on_one_host(idc_cluster: LiveCluster, hosts: Hosts) -> None:
    """Exactly one host holds the virtual IP."""
    virtual_ip = idc_cluster.facts.virtual_ip
    if not virtual_ip:
        pytest.skip("needs a virtual IP in front of the API servers; this cluster has none that idcbench knows")
    holding = [host.name for host in hosts if holds(host.run(*ADDRESSES).check().stdout, virtual_ip)]
    assert len(holding) == 1, f"{virtual_ip} is on {holding or 'no host'}"


@pytest.mark.idc(needs=[Capability.HA])
def test_write_through_one_member_is_read_through_all(
    idc_cluster: LiveCluster, idc_client: Client, members: tuple[str, ...], namespace: str
) -> None:
    """What one API server acknowledged, every other one returns at once."""
    path = idc_client.path("ConfigMap", namespace=namespace)
    for number, server in enumerate(members):
        name = f"by-{number}"
        write(idc_cluster, server, path, config_map(name, data={"by": server}))
        for other in members:
            found = msgspec.json.decode(read(idc_cluster, other, f"{path}/{name}"))
            assert found["data"] == {"by": server}


def write(cluster: LiveCluster, server: str, path: str, manifest: Manifest) -> None:
    """Create an object by way of one API server."""

    async def post() -> None:
        async with ApiSession(cluster.access, server=server) as api:
            await api.post(path, manifest)

    cluster.portal.call(post(), timeout_s=15)


@pytest.mark.idc(needs=[Capability.HA])
def test_write_through_one_member_is_watched_through_all(
    idc_cluster: LiveCluster, idc_client: Client, members: tuple[str, ...], namespace: str
) -> None:
    """A watch on any API server tells what was written through another."""
    path = idc_client.path("ConfigMap", namespace=namespace)
    since = idc_client.raw("GET", path).json()["metadata"]["resourceVersion"]
    write(idc_cluster, members[0], path, config_map("told"))
    for server in members:
        assert "told" in first_change(idc_cluster, server, path, since)


def first_change(cluster: LiveCluster, server: str, path: str, since: str) -> str:
    """What one API server tells first about the ConfigMap ``told`` after a version."""
    query = {"watch": "true", "resourceVersion": since, "fieldSelector": "metadata.name=told", "timeoutSeconds": "10"}

    async def follow() -> str:
        async with ApiSession(cluster.access, server=server) as api, api.stream(path, query=query, idle_s=10) as stream:
            return (await stream.readany()).decode()

    return cluster.portal.call(follow(), timeout_s=15)
