"""Members that are none any more, or lack what makes them one: they are made anew, by cleaning and joining again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from ...errors import ClusterError
from ...hosts.failure import HostError
from ...hosts.fleet import Fleet
from ...hosts.inventory import HostEntry
from ...hosts.ssh import SshHost
from ..facts.facts import Facts
from . import paths
from .etcd_members import Etcd, Member, etcd_of
from .kubectl import Kubectl
from .state import State

SILENCE_S, AGAIN_S = 30.0, 1.0


async def ailing(reached: Fleet, state: State) -> Mapping[str, str]:
    """Why a member has to be made anew, by its name; empty when all are sound.

    Raises :class:`ClusterError` when the others would be no majority of etcd, and what the cluster's API raises when
    nobody answers: then there is nothing to repair from.
    """
    rests = state.inventory.scheduler == "idcbench"
    whole = [host for host in state.control_planes if not _lacking(state.facts[host.name], rests=rests)]
    if not whole:
        raise ClusterError(
            f"cluster {state.inventory.name}: no control plane has all its static pods any more; put "
            "/etc/kubernetes/manifests back on one of them, or restore from a backup"
        )
    members, healthy, nodes = await _asked([reached[host.name] for host in whole], state)
    sound = [member for member in members if member.ID in healthy]
    found: dict[str, str] = {}
    for host in state.members:
        if why := _why(host, state.facts[host.name], nodes=nodes, rests=rests):
            found[host.name] = why
        elif host.is_control_plane and not any(member.is_at(host.node_address) for member in sound):
            found[host.name] = "its etcd is no member any more, or does not answer"
    staying = [member for member in sound if not any(member.is_at(each.node_address) for each in _of(state, found))]
    if found and len(staying) <= len(members) // 2:
        raise ClusterError(
            f"cluster {state.inventory.name}: {', '.join(found)} would have to be made anew, and the {len(staying)} "
            f"others are no majority of {len(members)} members of etcd; mend those first that only need to be started"
        )
    return found


async def _asked(
    leaders: Sequence[SshHost], state: State
) -> tuple[Sequence[Member], frozenset[str], set[str]]:  # fmt: skip
    """The members of etcd, who of them answers, and the nodes: from the first of ``leaders`` whose own etcd answers."""
    failed: HostError | None = None
    for leader in leaders:
        try:
            async with etcd_of(leader) as etcd:
                members = await etcd.members()
                healthy = await _heard(etcd, members, state.members)
            listed = await Kubectl(leader).get("nodes")
        except HostError as error:
            failed = failed or error
            continue
        return members, healthy, {node["metadata"]["name"] for node in listed["items"]}
    assert failed is not None, "leaders are at least one"
    raise failed


async def _heard(etcd: Etcd, members: Sequence[Member], hosts: Sequence[HostEntry]) -> frozenset[str]:
    """Who answers within :data:`SILENCE_S`: one that is only slow, or just starting, is not to lose what it has.

    One whose host is not among ``hosts``, which have what makes a member, is not waited for.
    """
    until_s = time.monotonic() + SILENCE_S
    found = await etcd.healthy(members)
    awaited = [member for member in members if any(member.is_at(host.node_address) for host in hosts)]
    while (silent := [one for one in awaited if one.ID not in found]) and time.monotonic() < until_s:
        await asyncio.sleep(AGAIN_S)
        found |= await etcd.healthy(silent)
    return found


def _why(host: HostEntry, facts: Facts, *, nodes: set[str], rests: bool) -> str:
    if host.name not in nodes:
        return "the cluster has no such node any more"
    if host.is_control_plane and (lacking := _lacking(facts, rests=rests)):
        return f"static pods are missing: {', '.join(lacking)}"
    return ""


def _lacking(facts: Facts, *, rests: bool) -> list[str]:
    """``rests``: kube-scheduler need not be there, as another scheduler is in its place."""
    wanted = [name for name in paths.STATIC_PODS if not (rests and name == "kube-scheduler")]
    return [name for name in wanted if name not in facts.all("manifest")]


def _of(state: State, names: Mapping[str, str]) -> list[HostEntry]:
    return [host for host in state.control_planes if host.name in names]
