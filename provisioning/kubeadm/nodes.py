"""Hosts that come, go, and are replaced, one at a time or several: what `idcbench node` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import ClusterError, UsageError
from ...hosts.fleet import Fleet, fleet
from ...hosts.inventory import HostEntry, Inventory
from ...hosts.ssh import SshHost
from .downing import leave
from .etcd_members import Member, etcd_of
from .fitting import check_fits
from .kubectl import Kubectl, is_ready
from .lock import locked
from .stale import forget_members, remember_removed
from .state import State
from .supplies import find_bundle
from .upping import Upped, bring_up, probe

Say = Callable[[str], None]
DRAIN_S = 300.0


async def add(inventory: Inventory, names: Sequence[str], *, bundle: Path | None, say: Say) -> Upped:
    """Make hosts of the inventory members of the cluster that is there; other hosts that are none stay none.

    Raises :class:`UsageError` for a name that the inventory does not have, :class:`ClusterError` where there is no
    cluster, and what :func:`~.upping.bring_up` raises.
    """
    wanted = _entries(inventory, names)
    async with fleet(inventory) as reached:
        state = await _state(reached, [host.entry for host in reached.hosts], say=say)
        await _refuse_silent_nodes(reached, Kubectl(_leader(reached, state)))
    members = {host.name for host in state.members}
    hosts = tuple(host for host in inventory.hosts if host.name in members or host in wanted)
    return await bring_up(replace(inventory, hosts=hosts), bundle=bundle, say=say, repair=names)


async def drain(inventory: Inventory, name: str, *, timeout_s: float, say: Say) -> None:
    """Move a node's pods elsewhere, as their disruption budgets allow, and let no new ones on it."""
    [entry] = _entries(inventory, [name])
    async with fleet(inventory, only=_others(inventory, [name]) or [name]) as reached:
        state = await _state(reached, [host.entry for host in reached.hosts], say=say)
        kubectl = Kubectl(_leader(reached, state))
        await _drain(kubectl, entry, timeout_s=timeout_s)
        say(f"{name}: drained; `idcbench node uncordon` lets pods on it again")


async def uncordon(inventory: Inventory, name: str, *, say: Say) -> None:
    """Let pods on a node again."""
    _entries(inventory, [name])
    async with fleet(inventory, only=[host.name for host in inventory.control_planes]) as reached:
        state = await _state(reached, [host.entry for host in reached.hosts], say=say)
        await Kubectl(_leader(reached, state)).run("uncordon", name)
        say(f"{name}: takes pods again")


async def remove(
    inventory: Inventory, name: str, *, force: bool, timeout_s: float, bundle: Path | None, say: Say
) -> bool:
    """Take a host out of the cluster; gives whether it was reached and is as it was found.

    Its pods move first, unless ``force`` or its node is not ready. A control plane leaves etcd before anything else of
    it goes. One that cannot be reached is kept out: it does not come back by itself when it gets power again. Raises
    :class:`ClusterError` where a majority of etcd, or the last control plane, would go.
    """
    [entry] = _entries(inventory, [name])
    find_bundle(bundle, inventory)  # what is lacking at the end is told at the start
    async with fleet(inventory) as reached:
        for other, error in reached.unreached.items():
            if other != name:
                raise error
        async with locked(reached.hosts, doing=f"node remove {name}"):
            state = await _state(reached, [host.entry for host in reached.hosts], say=say)
            if name not in reached.unreached and not (state.is_member(entry) or state.is_begun(entry)):
                raise ClusterError(f"host {name} is not in cluster {inventory.name}, so there is nothing to remove")
            await _leave_cluster(reached, state, entry, force=force, timeout_s=timeout_s, say=say)
            mine = [host for host in reached.hosts if host.name == name]
            for host in mine:
                await leave(inventory, host, say=say)
    rest = tuple(host for host in state.members if host.name != name)
    await bring_up(replace(inventory, hosts=rest), bundle=bundle, say=say)
    return bool(mine)


async def replace_host(
    inventory: Inventory, name: str, *, force: bool, timeout_s: float, bundle: Path | None, say: Say
) -> Upped:
    """Make a machine that stands in for a lost one a member under its name; one that lives leaves first."""
    [entry] = _entries(inventory, [name])
    find_bundle(bundle, inventory)
    async with fleet(inventory) as reached:
        reached.check()
        state = await _state(reached, list(inventory.hosts), say=say)
        if state.is_member(entry) or state.is_begun(entry):
            async with locked(reached.hosts, doing=f"node replace {name}"):
                await _leave_cluster(reached, state, entry, force=force, timeout_s=timeout_s, say=say)
                await leave(inventory, reached[name], say=say)
    return await add(inventory, [name], bundle=bundle, say=say)


async def _leave_cluster(
    reached: Fleet, state: State, entry: HostEntry, *, force: bool, timeout_s: float, say: Say
) -> None:
    leader = _leader(reached, state, but=entry)
    kubectl = Kubectl(leader)
    if entry.is_control_plane:
        await _refuse_without_majority(leader, entry)
    if not force and await _is_ready(kubectl, entry.name):
        await _drain(kubectl, entry, timeout_s=timeout_s)
        say(f"{entry.name}: drained")
    await remember_removed(kubectl, entry.name)
    if entry.is_control_plane:
        await forget_members(leader, [entry])
        say(f"{entry.name}: has left etcd")
    await kubectl.run("delete", "node", entry.name, "--ignore-not-found")
    say(f"{entry.name}: is no node any more")


async def _refuse_silent_nodes(reached: Fleet, kubectl: Kubectl) -> None:
    """Raise :class:`ClusterError` for a host that cannot be reached and is a node: the others would forget it."""
    nodes = {node["metadata"]["name"] for node in (await kubectl.get("nodes"))["items"]}
    for name, error in reached.unreached.items():
        if name in nodes:
            raise ClusterError(f"{error}; it is a node of the cluster: start it, or idcbench node remove it first")


async def _refuse_without_majority(leader: SshHost, entry: HostEntry) -> None:
    """Raise :class:`ClusterError` when those that would stay are no majority of what etcd would then be."""
    async with etcd_of(leader) as etcd:
        members = await etcd.members()
        healthy = await etcd.healthy(members)
    staying = [one for one in members if not one.is_of(entry) and not one.is_learner]
    sound = [one for one in staying if one.ID in healthy]
    if len(sound) <= len(staying) // 2:
        raise ClusterError(
            f"host {entry.name} cannot leave: of the {len(staying)} members of etcd that would stay only "
            f"{len(sound)} answer ({_told(staying, healthy)}), which is no majority; start those first"
        )


def _told(members: Sequence[Member], healthy: frozenset[str]) -> str:
    silent = [one.name or one.ID for one in members if one.ID not in healthy]
    return f"silent: {', '.join(silent)}" if silent else "all answer"


async def _is_ready(kubectl: Kubectl, name: str) -> bool:
    listed = await kubectl.get("nodes", f"--field-selector=metadata.name={name}")
    return any(map(is_ready, listed["items"]))


async def _drain(kubectl: Kubectl, entry: HostEntry, *, timeout_s: float) -> None:
    await kubectl.run(
        "drain", entry.name, "--ignore-daemonsets", "--delete-emptydir-data", "--force", f"--timeout={timeout_s:.0f}s",
        timeout_s=timeout_s + 30,
    )  # fmt: skip


async def _state(reached: Fleet, entries: Sequence[HostEntry], *, say: Say) -> State:
    """Of the hosts that were reached. Raises what :func:`~.upping.probe` and :func:`~.fitting.check_fits` do."""
    state = await probe(replace(reached, inventory=replace(reached.inventory, hosts=tuple(entries))), say=say)
    check_fits(state)
    return state


def _leader(reached: Fleet, state: State, *, but: HostEntry | None = None) -> SshHost:
    """A control plane of the cluster to work through, another one than ``but``. Raises :class:`ClusterError`."""
    for entry in state.control_planes:
        if entry != but:
            return reached[entry.name]
    if but is not None and state.exists:
        raise ClusterError(
            f"host {but.name} is the only control plane, all of the cluster's data would go with it; idcbench down "
            "removes the whole cluster, node add brings another control plane first"
        )
    raise ClusterError(f"there is no cluster {reached.inventory.name}; idcbench up {reached.inventory.path} makes it")


def _others(inventory: Inventory, names: Sequence[str]) -> list[str]:
    return [host.name for host in inventory.hosts if host.name not in names]


def _entries(inventory: Inventory, names: Sequence[str]) -> list[HostEntry]:
    known = {host.name: host for host in inventory.hosts}
    for name in names:
        if name not in known:
            raise UsageError(f"no host {name!r} in {inventory.path}; there are {', '.join(known)}")
    return [known[name] for name in names]
