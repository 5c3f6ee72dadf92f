"""Which members have to be made anew, and when that may not be."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from idcbench.errors import ClusterError
from idcbench.hosts.failure import HostError
from idcbench.hosts.inventory import HostEntry
from idcbench.hosts.inventory_file import parse_inventory
from idcbench.provisioning.facts.facts import parse_facts
from idcbench.provisioning.kubeadm import ailing as room
from idcbench.provisioning.kubeadm.etcd_members import Member
from idcbench.provisioning.kubeadm.paths import STATIC_PODS
from idcbench.provisioning.kubeadm.state import State

INVENTORY = """\
cluster: {name: room, endpoint: {address: 10.9.0.100}}
hosts:
  cp1: {address: 10.9.0.11, groups: [control-plane]}
  cp2: {address: 10.9.0.12, groups: [control-plane]}
  cp3: {address: 10.9.0.13, groups: [control-plane]}
  w1: {address: 10.9.0.21, groups: [worker]}
"""
MEMBER = 'exists=/etc/kubernetes/kubelet.conf\nmark={"cluster": "room", "state": "member"}\ncomplete=yes\n'
PODS = "".join(f"manifest={name}\n" for name in STATIC_PODS)
ADDRESS = {"cp1": "10.9.0.11", "cp2": "10.9.0.12", "cp3": "10.9.0.13"}


@dataclass
class Cluster:
    """What the cluster says of itself."""

    nodes: list[str] = field(default_factory=lambda: ["cp1", "cp2", "cp3", "w1"])
    members: list[str] = field(default_factory=lambda: ["cp1", "cp2", "cp3"])
    silent: list[str] = field(default_factory=list)
    slow: bool = False
    asked: int = 0
    without_pods: list[str] = field(default_factory=list)

    def state(self) -> State:
        inventory = parse_inventory(INVENTORY, path=Path("room.yaml"))
        facts = {
            host.name: parse_facts(
                MEMBER + (PODS if host.is_control_plane and host.name not in self.without_pods else "")
            )
            for host in inventory.hosts
        }
        return State(inventory=inventory, facts=facts)

    @contextlib.asynccontextmanager
    async def etcd_of(self, host: HostEntry) -> AsyncIterator[Cluster.Etcd]:
        if host.name in self.silent:
            raise HostError(host.name, "etcd does not answer")
        yield Cluster.Etcd(self)

    @dataclass
    class Etcd:
        of: Cluster

        async def members(self) -> tuple[Member, ...]:
            return tuple(
                Member(ID=name, name=name, peer_ur_ls=(f"https://{ADDRESS[name]}:2380",)) for name in self.of.members
            )

        async def healthy(self, members: Sequence[Member]) -> frozenset[str]:
            self.of.asked += 1
            if self.of.slow and self.of.asked == 1:
                return frozenset()
            return frozenset(member.name for member in members if member.name not in self.of.silent)


async def found(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    class Kubectl:
        def __init__(self, _host: object) -> None:
            pass

        async def get(self, *_what: str) -> dict[str, Any]:
            return {"items": [{"metadata": {"name": name}} for name in cluster.nodes]}

    monkeypatch.setattr(room, "SILENCE_S", 0.05)
    monkeypatch.setattr(room, "AGAIN_S", 0.01)
    monkeypatch.setattr(room, "etcd_of", cluster.etcd_of)
    monkeypatch.setattr(room, "Kubectl", Kubectl)
    reached: Any = {host.name: host for host in cluster.state().inventory.hosts}
    return dict(await room.ailing(reached, cluster.state()))


async def test_a_sound_cluster_has_nothing_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await found(Cluster(), monkeypatch) == {}


async def test_who_is_only_slow_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await found(Cluster(slow=True), monkeypatch) == {}


@pytest.mark.parametrize(
    ("cluster", "name", "why"),
    [
        (Cluster(nodes=["cp1", "cp2", "cp3"]), "w1", "no such node"),
        (Cluster(without_pods=["cp2"]), "cp2", "static pods are missing: etcd, kube-apiserver"),
        (Cluster(members=["cp1", "cp2"]), "cp3", "its etcd is no member"),
        (Cluster(silent=["cp1"]), "cp1", "does not answer"),
    ],
)
async def test_what_is_lost_is_named(cluster: Cluster, name: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = await found(cluster, monkeypatch)
    assert list(said) == [name]
    assert why in said[name]


@pytest.mark.parametrize(
    "cluster", [Cluster(silent=["cp1", "cp2"]), Cluster(silent=["cp1"], without_pods=["cp2"])], ids=["silent", "mixed"]
)
async def test_nothing_is_made_anew_that_a_majority_needs(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClusterError, match="no majority of 3 members of etcd"):
        await found(cluster, monkeypatch)


async def test_without_any_whole_control_plane_there_is_nothing_to_repair_from(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClusterError, match="no control plane has all its static pods"):
        await found(Cluster(without_pods=["cp1", "cp2", "cp3"]), monkeypatch)
