"""How the hosts of an inventory do as members of their cluster; asks, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import IdcError
from ...hosts.fleet import Fleet, fleet
from ...hosts.inventory import HostEntry, Inventory
from ..facts.facts import Facts
from ..facts.gather import gather
from .etcd_members import Member, etcd_of
from .kubectl import Kubectl, is_ready
from .state import State

NOTHING = "-"
SOUND = ("leads", "follows")
"""What an etcd member does that answers and knows a leader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """One host. ``trouble`` says why it is no sound member; empty when it is one."""

    host: str
    role: str
    member: str
    node: str
    etcd: str
    holds_virtual_ip: bool
    trouble: str = ""


async def status_of(inventory: Inventory) -> list[HostStatus]:
    """Every host of the inventory, in its order. A host that cannot be reached is one of them, with the reason."""
    async with fleet(inventory) as reached:
        outcome = await gather(reached, paths=lambda _: ())
        troubles: dict[str, str] = {name: str(error) for name, error in {**reached.unreached, **outcome.failed}.items()}
        there = tuple(host for host in inventory.hosts if host.name in outcome.done)
        state = State(inventory=inventory, facts=outcome.done)
        members = [host for host in there if state.is_member(host)]
        nodes, etcd = await _asked(reached, members, troubles)
    return [
        _status(host, inventory, outcome.done.get(host.name), state, nodes, etcd, troubles.get(host.name, ""))
        for host in inventory.hosts
    ]


async def _asked(
    reached: Fleet, members: list[HostEntry], troubles: dict[str, str]
) -> tuple[Mapping[str, bool], Mapping[str, str]]:
    """Whether each node is ready, by name, and how each etcd member does, by its URL; from who can say it."""
    why = ""
    for host in (each for each in members if each.is_control_plane):
        try:
            listed = await Kubectl(reached[host.name]).get("nodes")
            async with etcd_of(reached[host.name]) as etcd:
                found = await etcd.members()
                leaders = await etcd.leaders(found)
        except (IdcError, TimeoutError) as error:
            why = str(error)
            continue
        nodes = {node["metadata"]["name"]: is_ready(node) for node in listed["items"]}
        return nodes, {url: _voice(member, leaders) for member in found for url in member.peer_ur_ls}
    for host in members:
        troubles.setdefault(host.name, why or "no control plane can be asked")
    return {}, {}


def _status(
    host: HostEntry, inventory: Inventory, facts: Facts | None, state: State, nodes: Mapping[str, bool],
    etcd: Mapping[str, str], trouble: str,
) -> HostStatus:  # fmt: skip
    member = "?" if facts is None else "yes" if state.is_member(host) else "begun" if state.is_begun(host) else "no"
    node = {True: "ready", False: "not ready", None: NOTHING}[nodes.get(host.name)]
    none = "no member" if host.is_control_plane and etcd else NOTHING
    voice = next((voice for url, voice in etcd.items() if f"//{host.node_address}:" in url), none)
    if not trouble and (member != "yes" or node != "ready" or (host.is_control_plane and voice not in SOUND)):
        trouble = _why(member, node, voice)
    return HostStatus(
        host=host.name, role="control plane" if host.is_control_plane else "worker", member=member, node=node,
        etcd=voice, trouble=trouble,
        holds_virtual_ip=inventory.endpoint.mode == "keepalived"
        and facts is not None
        and facts.interface_of(inventory.endpoint.address) is not None,
    )  # fmt: skip


def _voice(member: Member, leaders: Mapping[str, str]) -> str:
    if member.is_learner:
        return "learns"
    leader = leaders.get(member.ID)
    return "silent" if leader is None else "leads" if leader == member.ID else "follows"


def _why(member: str, node: str, voice: str) -> str:
    if member in ("no", "begun"):
        return "it is not in the cluster; idcbench up brings it in"
    if node == NOTHING or voice == "no member":
        return "the cluster does not know it any more; idcbench repair makes it anew"
    if node == "not ready":
        return "its kubelet says why: journalctl -u kubelet"
    return "its etcd has no vote yet" if voice == "learns" else "its etcd does not answer"
