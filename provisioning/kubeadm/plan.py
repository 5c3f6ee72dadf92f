"""From what there is and what there should be to what will be done; shown before it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...hosts.inventory import HostEntry
from .difference import Work
from .node_settings import NodeWork, joined_works
from .state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """In this order: ``clean`` hosts that had begun, prepare all by their ``work``, ``first`` begins, ``join`` follow.
    ``nodes`` is what is set on nodes that are there, ``joined`` on those that come, once they have.

    Control planes join one after the other, as etcd takes one learner at a time; workers all at once.
    """

    cluster: str
    clean: tuple[HostEntry, ...] = ()
    work: Mapping[str, Work]
    first: HostEntry | None = None
    join: tuple[HostEntry, ...] = ()
    addons: tuple[str, ...] = ()
    nodes: tuple[NodeWork, ...] = ()
    joined: tuple[NodeWork, ...] = ()
    drop: tuple[str, ...] = ()

    @property
    def changes(self) -> int:
        """How many things will be done; 0 when the cluster is as the inventory says."""
        each = sum(len(list(one.words)) for one in self.work.values())
        of_nodes = sum(len(work.words) for work in (*self.nodes, *self.joined))
        of_cluster = len(self.addons) + len(self.drop)
        return each + len(self.clean) + bool(self.first) + len(self.join) + of_cluster + of_nodes

    @property
    def lines(self) -> list[str]:
        """The plan in words, a line each."""
        found = [f"{host.name}: clean what an attempt that was cut off left" for host in self.clean]
        found += [f"{name}: {line}" for name, work in self.work.items() for line in work.words]
        if self.first is not None:
            found.append(f"{self.first.name}: make the first control plane of cluster {self.cluster}")
        found += [
            f"{host.name}: join as {'a control plane' if host.is_control_plane else 'a worker'}" for host in self.join
        ]
        found += [f"{work.host}: {words}" for work in (*self.nodes, *self.joined) for words in work.words]
        found += [f"cluster: remove {name}" for name in self.drop]
        return found + [f"cluster: apply {name}" for name in self.addons]


def plan(
    state: State, works: Mapping[str, Work], *, addons: tuple[str, ...], nodes: Sequence[NodeWork] = (),
    drop: tuple[str, ...] = (),
) -> Plan:  # fmt: skip
    """What is to be done.

    ``works`` is what each host lacks, ``addons`` what the cluster carries and is not there as it should be, ``drop``
    what it carries no more, ``nodes`` what its nodes are not yet.
    """
    hosts = state.inventory.hosts
    new = [host for host in hosts if not state.is_member(host)]
    first = None if state.exists else next(host for host in hosts if host.is_control_plane)
    joining = [host for host in new if host is not first]
    return Plan(
        cluster=state.inventory.name,
        clean=tuple(host for host in new if state.is_begun(host)),
        work={name: work for name, work in works.items() if work},
        first=first,
        join=tuple(sorted(joining, key=lambda host: not host.is_control_plane)),
        addons=addons,
        drop=drop,
        nodes=tuple(work for work in nodes if not any(work.host == host.name for host in new)),
        joined=tuple(joined_works(new)),
    )
