"""How the hosts of an inventory do as members of their cluster; asks, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import IdcError
from ...hosts.fleet import Fleet, fleet
from ...hosts.inventory import HostEntry, Inventory
from ..facts.facts import Facts
from ..facts.gather import gather
from .etcd_members import etcd_of
from .kubectl import Kubectl, is_ready
from .state import State

NOTHING = "-"


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
) -> tuple[Mapping[str, bool], Mapping[str, bool]]:
    """Whether each node is ready, and each etcd member answers, by name and by address; from who can say it."""
    why = ""
    for host in (each for each in members if each.is_control_plane):
        try:
            listed = await Kubectl(reached[host.name]).get("nodes")
            async with etcd_of(reached[host.name]) as etcd:
                found = await etcd.members()
                healthy = await etcd.healthy(found)
        except (IdcError, TimeoutError) as error:
            why = str(error)
            continue
        nodes = {node["metadata"]["name"]: is_ready(node) for node in listed["items"]}
        return nodes, {url: member.ID in healthy for member in found for url in member.peer_ur_ls}
    for host in members:
        troubles.setdefault(host.name, why or "no control plane can be asked")
    return {}, {}


def _status(
    host: HostEntry, inventory: Inventory, facts: Facts | None, state: State, nodes: Mapping[str, bool],
    etcd: Mapping[str, bool], trouble: str,
) -> HostStatus:  # fmt: skip
    member = "?" if facts is None else "yes" if state.is_member(host) else "begun" if state.is_begun(host) else "no"
    node = {True: "ready", False: "not ready", None: NOTHING}[nodes.get(host.name)]
    answers = next((sound for url, sound in etcd.items() if f"//{host.node_address}:" in url), None)
    voice = {True: "answers", False: "silent", None: "no member" if host.is_control_plane and etcd else NOTHING}[
        answers
    ]
    if not trouble and (member != "yes" or node != "ready" or (host.is_control_plane and voice != "answers")):
        trouble = _why(member, node, voice)
    return HostStatus(
        host=host.name, role="control plane" if host.is_control_plane else "worker", member=member, node=node,
        etcd=voice, trouble=trouble,
        holds_virtual_ip=facts is not None and facts.interface_of(inventory.endpoint.address) is not None,
    )  # fmt: skip


def _why(member: str, node: str, voice: str) -> str:
    if member in ("no", "begun"):
        return "it is not in the cluster; idcbench up brings it in"
    if node == NOTHING or voice == "no member":
        return "the cluster does not know it any more; idcbench repair makes it anew"
    return "its kubelet says why: journalctl -u kubelet" if node == "not ready" else "its etcd does not answer"
