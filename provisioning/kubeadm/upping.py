"""Bring a cluster up, or to what its inventory says: probe, plan, act on the difference, verify."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import ClusterError
from ...hosts.failure import HostError
from ...hosts.fleet import Fleet, fleet
from ...hosts.inventory import HostEntry, Inventory
from ...hosts.inventory_checks import even
from ..artifacts.bundle import Bundle
from ..facts.facts import Facts
from ..facts.gather import facts_of, gather
from ..preflight.before import refuse_unsound
from . import carried, own_scheduler, sharing
from .acting import Actor, Clock
from .ailing import ailing
from .difference import Work, difference
from .fitting import check_fits, check_owner, check_version
from .kubectl import Kubectl
from .lock import locked
from .node_settings import CONTROL_PLANE, Node, node_works
from .plan import Plan, plan
from .remote import until_idle
from .state import State
from .supplies import find_bundle, supplies_of
from .verifying import verify
from .wanted import Shared, Supplies, managed_paths, wanted

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upped:
    """What was done: the plan, and how long it took in all and by stage."""

    plan: Plan
    version: str
    seconds: float
    stages: Mapping[str, float] = field(default_factory=dict)


async def bring_up(
    inventory: Inventory, *, bundle: Path | None, say: Say, dry_run: bool = False, repair: Collection[str] = ()
) -> Upped:
    """Make the cluster what the inventory says; of one that is so already nothing is touched.

    ``say`` is told the plan and every step. With ``dry_run`` nothing is changed after the plan; those of the hosts
    ``repair`` that are no members any more, though they think so, are made anew. Raises
    :class:`~idcbench.errors.IdcError` with host, step, what was found and what to do.
    """
    began_s = time.monotonic()
    supplied = find_bundle(bundle, inventory)
    async with fleet(inventory) as reached:
        reached.check()
        async with locked(reached.hosts, doing="up"):
            upped = await _up(reached, supplied, say=say, dry_run=dry_run, repair=repair)
    return replace(upped, seconds=time.monotonic() - began_s)


async def _up(
    reached: Fleet, bundle: Bundle, *, say: Say, dry_run: bool, repair: Collection[str]
) -> Upped:  # fmt: skip
    inventory = reached.inventory
    state = await probe(reached, say=say)
    check_fits(state)
    kubectl = Kubectl(reached[state.control_planes[0].name]) if state.exists else None
    kept, nodes = await asyncio.gather(carried.kept(kubectl), _nodes(kubectl))
    _check_strangers(inventory, nodes, say=say)
    if state.exists:
        if why := even(inventory):
            say(f"warning: {why}")
        state = await _judged(reached, state, kept.removed, repair, say=say)
    if len(state.members) < len(inventory.hosts):
        refuse_unsound(state, bundle=bundle)
    supplies = supplies_of(bundle, inventory, state.facts)
    check_version(state, supplies.version)
    shared = await _shared(reached, state)
    works = {host.name: _work(inventory, host, state.facts[host.name], supplies, shared) for host in inventory.hosts}
    scheduler = await own_scheduler.manifest(inventory, supplies)
    manifests = carried.manifests(inventory, supplies, authority=None, scheduler=scheduler)
    new = kept.changed(manifests)
    planned = plan(
        state, works, addons=tuple(new), nodes=node_works(inventory.hosts, nodes), drop=kept.dropped(manifests)
    )
    for line in planned.lines:
        say(f"plan: {line}")
    say(f"plan: {planned.changes} changes" if planned.changes else "plan: nothing to do")
    clock = Clock()
    if not dry_run:
        if planned.changes:
            signer = sharing.authority_of(shared)
            complete = carried.manifests(inventory, supplies, authority=signer, scheduler=scheduler)
            texts = [*(complete[name] for name in new), carried.record(manifests)] if new or planned.drop else []
            actor = Actor(fleet=reached, state=state, bundle=bundle, shared=shared, version=supplies.version,
                          say=say, clock=clock)  # fmt: skip
            await actor.act(planned, addons=texts)
        async with clock.stage("verify"):
            await verify(reached, inventory, say=say)
    return Upped(plan=planned, version=supplies.version, seconds=0.0, stages=clock.seconds)


async def is_there(inventory: Inventory) -> bool:
    """Whether the cluster is there, with all hosts of the inventory; nothing is changed.

    Raises :class:`ClusterError` when some hosts are in it and some are not, and what :func:`probe` raises.
    """
    async with fleet(inventory) as reached:
        reached.check()
        state = await probe(reached, say=lambda _: None)
    missing = [host.name for host in inventory.hosts if not state.is_member(host)]
    if state.exists and missing:
        raise ClusterError(
            f"cluster {inventory.name}: {', '.join(missing)} of its inventory are not in it; make them members first: "
            f"idcbench up {inventory.path}"
        )
    return state.exists


async def probe(reached: Fleet, *, say: Say) -> State:
    """The facts of all hosts, once nothing of an earlier run goes on there any more. Raises :class:`HostError`."""
    paths = {host.name: managed_paths(reached.inventory, host) for host in reached.inventory.hosts}
    found = dict((await gather(reached, paths=lambda name: paths[name])).check())
    for host in reached.hosts:
        if found[host.name].all("step"):
            found[host.name] = await until_idle(
                host, found[host.name], say=say, again=lambda each: facts_of(each, paths[each.name])
            )
    state = State(inventory=reached.inventory, facts=found)
    check_owner(state)
    return state


async def _judged(
    reached: Fleet, state: State, removed: frozenset[str], repair: Collection[str], *, say: Say
) -> State:  # fmt: skip
    """The state, less those that take themselves for members: removed while they were off, or to be repaired."""
    found = {host.name: "it was removed" for host in state.members if host.name in removed}
    if repair:
        ill = await ailing(reached, replace(state, broken=frozenset(found)))
        found |= {name: why for name, why in ill.items() if name in repair}
    for name, why in found.items():
        say(f"{name}: {why}; it is made anew")
    return replace(state, broken=frozenset(found))


def _check_strangers(inventory: Inventory, nodes: Mapping[str, Node], *, say: Say) -> None:
    """Raise :class:`ClusterError` for control planes that the inventory does not have: they would be cut off."""
    known = {host.name for host in inventory.hosts}
    for name in nodes.keys() - known:
        if CONTROL_PLANE in nodes[name]["metadata"].get("labels", {}):
            raise ClusterError(
                f"{name} is a control plane of cluster {inventory.name} and not in {inventory.path}; put it back "
                "there, and take it out of the cluster first: idcbench node remove"
            )
        say(f"note: {name} is a node of the cluster and not in the inventory; it is left alone")


async def _nodes(kubectl: Kubectl | None) -> dict[str, Node]:
    if kubectl is None:
        return {}
    listed = await kubectl.get("nodes")
    return {node["metadata"]["name"]: node for node in listed["items"]}


async def _shared(reached: Fleet, state: State) -> Shared:
    if state.exists:
        return await sharing.shared_by([reached[host.name] for host in state.control_planes])
    return sharing.made()


def _work(inventory: Inventory, host: HostEntry, facts: Facts, supplies: Supplies, shared: Shared) -> Work:
    found = facts.interface_of(host.node_address)
    if found is None:
        there = ", ".join(str(each.ip) for addresses in facts.addresses.values() for each in addresses)
        raise HostError(host.name, f"no interface has {host.node_address}; set node_address to one of {there}")
    interface = host.interface or found[0]
    want = wanted(inventory, host, facts, supplies=supplies, shared=shared, interface=interface)
    return difference(host.name, want, facts)
