"""What came of a drill: violations, each a sentence, and figures. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from idcbench.kube.objects import ObjectReference

from ..bench.checker import check
from ..objects import Node, Pod
from ..service.entity import OWN_GANG_LABEL
from .bindings import Binding

UNLOGGED_A_KILL = 64
"""Bindings that an API server killed -9 may have done without a line in its log: as many as a scheduler has on their
way (``WriteSettings.connections``)."""
LATE_S = 20.0
"""An event that was not written this long after its binding was not merely waiting when the scheduler died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerKill:
    """When (wall clock) a scheduler was killed -9, and at which address it was."""

    at_ns: int
    address: str


def placements(nodes: Sequence[Node], pods: Sequence[Pod], *, created: int) -> Iterator[str]:
    """Pods without a node, and whatever the independent checker finds."""
    if len(pods) != created:
        yield f"{created} pods were created, {len(pods)} are there"
    waiting = [pod.key for pod in pods if not pod.spec.node_name]
    if waiting:
        yield f"{len(waiting)} pods have no node: {', '.join(waiting[:5])}"
    yield from check(nodes, pods, ())


def partial_gangs(pods: Iterable[Pod], sizes: Mapping[str, int]) -> Iterator[str]:
    """Gangs some of whose pods have nodes, and others none."""
    bound: Counter[str] = Counter()
    for pod in pods:
        gang = (pod.metadata.labels or {}).get(OWN_GANG_LABEL)
        if gang and pod.spec.node_name:
            bound[gang] += 1
    for gang, count in bound.items():
        if count != sizes[gang]:
            yield f"gang {gang} is partial: {count} of its {sizes[gang]} pods have a node"


def bindings(
    pods: Iterable[Pod], done: Mapping[str, Sequence[Binding]], *, unclear: Collection[str], server_kills: int
) -> Iterator[str]:  # fmt: skip
    """Pods that were bound more than once, and bound ones that no log knows, beyond what dying servers explain.

    ``unclear`` are pods whose binding may have been done though it was answered otherwise.
    """
    unlogged = []
    for pod in pods:
        count = len(done.get(pod.metadata.uid, ()))
        if count > 1:
            yield f"pod {pod.key} was bound {count} times: {done[pod.metadata.uid]}"
        elif count and not pod.spec.node_name:
            yield f"pod {pod.key} was bound, and has no node"
        elif not count and pod.spec.node_name and pod.metadata.uid not in unclear:
            unlogged.append(pod.key)
    if len(unlogged) > server_kills * UNLOGGED_A_KILL:
        yield (
            f"{len(unlogged)} pods have a node and no binding in the audit logs; {server_kills} API servers were "
            f"killed, which explains {server_kills * UNLOGGED_A_KILL} at the most"
        )


def missing_events(
    pods: Iterable[Pod], told: Mapping[str, int], done: Mapping[str, Sequence[Binding]],
    kills: Sequence[SchedulerKill],
) -> tuple[list[str], list[str]]:  # fmt: skip
    """Bound pods without a Scheduled event: those whose scheduler was killed with it, and the others.

    A pod whose binding no log knows is explained by any kill of a scheduler: the server died, the scheduler too.
    """
    explained: list[str] = []
    others: list[str] = []
    for pod in pods:
        if not pod.spec.node_name or told.get(pod.metadata.uid):
            continue
        binding = next(iter(done.get(pod.metadata.uid, ())), None)
        dead = any(binding is None or _took_along(kill, binding) for kill in kills)
        (explained if dead else others).append(pod.key)
    return explained, others


def _took_along(kill: SchedulerKill, binding: Binding) -> bool:
    return binding.source == kill.address and -1e9 <= kill.at_ns - binding.at_ns <= LATE_S * 1e9


def events_per_pod(scheduled: Iterable[ObjectReference]) -> Counter[str]:
    """Scheduled events by the uid of their pod."""
    return Counter(one.uid for one in scheduled)


def longest_pause_s(times_ns: Sequence[int], began_ns: int) -> float:
    """The longest stretch without a binding from a moment to the last binding."""
    edges = [began_ns, *(at for at in times_ns if at >= began_ns)]
    return max((later - sooner for sooner, later in pairwise(edges)), default=0) / 1e9
