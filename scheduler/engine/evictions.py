"""Preemption: whom to take away for a pod, and from which node.

The core tries all nodes at once. Where taking pods away changes what volumes say, for better or (a shared volume
would have to be attached anew) for worse, the same steps are gone through here, node by node (plugins/
defaultpreemption, SelectVictimsOnNode).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.deciding import ANY
from ..core.preempting import VETO_MAY_FALL, VETO_MAY_RISE
from ..core.state import BY_RESOURCES, BY_VOLUMES, CLASS, ELSEWHERE, I32, I64, NO_HELP, NOBODY_LOWER, PODS, U8
from ..decisions import NoPreemption, Preemption, counted
from ..objects import Pod
from ..volumes import Refused, VolumeIndex
from .arrays import Arrays, as_rows
from .budgets import Budgets
from .classes import Classes
from .diagnosis import BEYOND_HELP, hopeless_at
from .evaluator import NO_VETO, Ask, Evaluator
from .nominations import Nominations
from .seats import NodeRows, Seat, Seats, started_ms
from .shapes import Shapes

Cost = tuple[int, int, int, int, int]
_OFFSET = 2**31
"""Added to each priority before summing (preemption.go)."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A node, by its row, with the pods that have to go from there; the least cost is the best."""

    row: int
    victims: tuple[Seat, ...]
    cost: Cost


class Evictions:
    """Asked when a pod has no node; nothing is changed."""

    def __init__(
        self, arrays: Arrays, nodes: NodeRows, seats: Seats, held: Nominations, volumes: VolumeIndex,
        budgets: Budgets, classes: Classes, shapes: Shapes, evaluator: Evaluator,
    ) -> None:  # fmt: skip
        self._arrays, self._nodes, self._seats, self._held = arrays, nodes, seats, held
        self._volumes, self._budgets, self._classes, self._shapes = volumes, budgets, classes, shapes
        self._evaluator = evaluator

    def find(self, ask: Ask) -> Preemption | NoPreemption:
        if self._waits_for_victims(ask):
            return NoPreemption("not eligible due to a terminating pod on the nominated node.")
        veto, hopeless = self._volumes_say(ask)
        if hopeless:
            count = len(self._nodes.objects)
            return NoPreemption(f"0/{count} nodes are available: {counted([(BEYOND_HELP[NO_HELP], count)])}.")
        by_core, lacking = self._by_core(ask, veto)
        outcome = self._arrays.state.list_n.copy()
        tried = [row for row in self._nodes.objects if outcome[row] == ELSEWHERE] if len(veto) else []
        candidates = [by_core, *(self._by_volumes(ask, row) for row in tried)]
        found = [candidate for candidate in candidates if candidate is not None]
        if not found:
            return self._no_victims(ask, outcome, lacking)
        best = min(found, key=lambda candidate: candidate.cost)
        return Preemption(ask.pod, self._nodes.names[best.row], tuple(seat.pod for seat in best.victims), best.cost[0])

    def _waits_for_victims(self, ask: Ask) -> bool:
        """Whether pods that were preempted are still going from the node that the pod was nominated to."""
        row = self._nodes.row.get(self._held.node_of(ask.pod) or "")
        if row is None or not any(_is_being_preempted(seat.pod) for seat in self._lower(ask, row)):
            return False
        return not hopeless_at(self._arrays.state, self._evaluator.evaluate(ask), row)

    def _lower(self, ask: Ask, row: int) -> list[Seat]:
        """The pods on the node that may be taken away, the most important first."""
        seats = [seat for seat in self._seats.on(row) if seat.pod.priority < ask.pod.priority]
        return sorted(seats, key=lambda seat: (-seat.pod.priority, started_ms(seat.pod)))

    def _volumes_say(self, ask: Ask) -> tuple[U8, bool]:
        """The rows that volumes forbid, or may forbid when pods go; and whether the pod is refused whatever goes."""
        veto, verdict = self._evaluator.volume_veto(ask)
        if verdict is not None and verdict.refused is None:
            for row, refused in zip(self._nodes.objects, verdict.nodes, strict=True):
                if refused is not None:
                    veto[row] = 1 if refused.unresolvable else VETO_MAY_FALL
                elif any(self._volumes.shares(ask.pod, seat.pod) for seat in self._lower(ask, row)):
                    veto[row] = VETO_MAY_RISE
        veto = veto if ask.pin == ANY else self._evaluator.veto_but(ask.pin, veto)
        return veto, verdict is not None and verdict.refused is not None

    def _by_volumes_at(self, pod: Pod, row: int, without: Sequence[Seat]) -> Refused | None:
        """What the volumes say of the node when those pods are gone."""
        gone = [seat.pod for seat in without]
        node = (self._nodes.objects[row],)
        verdict = self._volumes.evaluate(pod, node, without=gone, beside=self._held.beside(pod))
        return verdict.refused or verdict.nodes[0]

    def _by_core(self, ask: Ask, veto: U8) -> tuple[_Candidate | None, I64]:
        """The best node of those that volumes leave, and how many nodes are short of each resource at the end."""
        room = int(self._arrays.state.used[:, PODS].max(initial=0)) + 2
        victims, marks = np.zeros((2, room), np.int32), np.zeros((2, room), np.uint8)
        budgets = self._budgets.allowed(self._classes, self._arrays, self._seats)
        state = self._arrays.state
        costs = np.zeros((3, max(5, state.used.shape[1])), np.int64)
        with self._held.without(ask.pod):
            row = self._arrays.kernels.preempt(
                self._arrays.state, ask.number, ask.pod.priority, veto, budgets, budgets.copy(), victims, marks, costs
            )
        if row < 0:
            return None, costs[2]
        rows = victims[0, : int(np.argmax(victims[0] < 0))].tolist()
        violations, top, total, number, start = costs[0, :5].tolist()
        seats = tuple(self._seats.by_row[each] for each in rows)
        return _Candidate(row, seats, (violations, top, total, number, start)), costs[2]

    def _by_volumes(self, ask: Ask, row: int) -> _Candidate | None:
        """The same on one node: all lower pods go, and come back one by one while everything still holds."""
        away = self._lower(ask, row)
        if not away or self._why(ask, row, away) or self._by_volumes_at(ask.pod, row, away):
            return None
        protected = self._budgets.violated([seat.pod for seat in away])
        violations = 0
        for violates in (True, False):
            for seat in [seat for seat in away if (seat.pod.metadata.uid in protected) is violates]:
                away.remove(seat)
                if self._why(ask, row, away) or self._by_volumes_at(ask.pod, row, away):
                    away.append(seat)
                    violations += violates
        away.sort(key=lambda seat: (-seat.pod.priority, started_ms(seat.pod)))
        return _Candidate(row, tuple(away), _cost(away, violations))

    def _why(self, ask: Ask, row: int, without: Sequence[Seat]) -> int:
        """Which filter but those of volumes keeps the pod from the node when those pods are gone; 0 for none."""
        rows = as_rows([seat.row for seat in without])
        with self._held.without(ask.pod):
            reason: int = self._arrays.kernels.without(
                self._arrays.state, ask.number, row, ask.pod.priority, NO_VETO, rows
            )
        return reason

    def _no_victims(self, ask: Ask, outcome: I32, lacking: I64) -> NoPreemption:
        """``lacking`` counts the nodes that are short of each resource with all lower pods gone."""
        said = Counter(self._resources_short(lacking.tolist()) if ask.pin == ANY else ())
        for row in self._nodes.objects:
            code = int(outcome[row]) if ask.pin in (ANY, row) else NO_HELP
            if code in (BY_VOLUMES, ELSEWHERE):
                said.update(self._left_over(ask, row))
            elif code != BY_RESOURCES:
                said[BEYOND_HELP[code]] += 1
            elif ask.pin == row:
                said.update(self._short_at(ask, row, self._lower(ask, row)))
        return NoPreemption(f"0/{len(self._nodes.objects)} nodes are available: {counted(said.items())}.")

    def _left_over(self, ask: Ask, row: int) -> Iterable[str]:
        """What still refuses the node when all lower pods are gone, as far as volumes have to do with it."""
        lower = self._lower(ask, row)
        if not lower:
            return (BEYOND_HELP[NOBODY_LOWER],)
        code, refused = self._why(ask, row, lower), self._by_volumes_at(ask.pod, row, lower)
        if code == BY_RESOURCES:
            return self._short_at(ask, row, lower)
        if refused is not None and not 0 < code < BY_VOLUMES:
            return refused.reasons
        return (BEYOND_HELP[code],) if code else ()

    def _short_at(self, ask: Ask, row: int, gone: Sequence[Seat]) -> Iterable[str]:
        state = self._arrays.state
        freed = sum((state.taken[state.class_shape[state.pod[seat.row, CLASS]]] for seat in gone), np.int64(0))
        asked = state.asked[state.class_shape[ask.number]]
        with self._held.without(ask.pod):
            with_held = self._held.used(ask.pod.priority)[row]
        for used in (with_held, state.used[row]):
            short = (asked > 0) & (asked > state.alloc[row] - used + freed)
            if short.any():
                return self._resources_short(short.tolist())
        return ()

    def _resources_short(self, nodes: Sequence[int]) -> dict[str, int]:
        """Counts of nodes by resource, in words."""
        short = {
            "Too many pods" if column == PODS else f"Insufficient {name}": int(nodes[column])
            for name, column in self._shapes.resources.items()
        }
        return {words: count for words, count in short.items() if count}


def _cost(victims: Sequence[Seat], violations: int) -> Cost:
    """As the core has it: fewest violations, lowest highest priority, lowest sum, fewest, latest start."""
    top = victims[0].pod.priority
    total = sum(seat.pod.priority + _OFFSET for seat in victims)
    earliest = min(started_ms(seat.pod) for seat in victims if seat.pod.priority == top)
    return violations, top, total, len(victims), -earliest


def _is_being_preempted(pod: Pod) -> bool:
    """Whether the pod is going because kube-scheduler, or we, took it away for another (preemption/util.go)."""
    told = next((each for each in pod.status.conditions or () if each.type == "DisruptionTarget"), None)
    going = pod.metadata.deletion_timestamp is not None
    return going and told is not None and (told.status, told.reason) == ("True", "PreemptionByScheduler")
