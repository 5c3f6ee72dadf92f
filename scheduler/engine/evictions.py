"""Preemption: whom to take away for a pod, and from which node.

The core tries all nodes at once. Where taking pods away changes what volumes say, for better or (a shared volume
would have to be attached anew) for worse, the same steps are gone through here, node by node (plugins/
defaultpreemption, SelectVictimsOnNode).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.deciding import ANY
from ..core.preempting import VETO_STAYS
from ..core.state import BY_RESOURCES, BY_VOLUMES, I64, NO_HELP, PODS, U8
from ..decisions import NoPreemption, Preemption, counted
from ..objects import Pod
from ..volumes import VolumeIndex
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
        veto, tried, hopeless = self._volumes_say(ask)
        if hopeless:
            count = len(self._nodes.objects)
            return NoPreemption(f"0/{count} nodes are available: {counted([(BEYOND_HELP[NO_HELP], count)])}.")
        by_core, lacking = self._by_core(ask, veto)
        candidates = [by_core, *(self._by_volumes(ask, row) for row in tried)]
        found = [candidate for candidate in candidates if candidate is not None]
        if not found:
            return self._no_victims(ask, lacking)
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

    def _volumes_say(self, ask: Ask) -> tuple[U8, list[int], bool]:
        """Rows that the core has to leave out, those of them where taking pods away lets the volumes in, and whether
        the pod is refused everywhere, whatever goes."""
        veto, verdict = self._evaluator.volume_veto(ask)
        tried: list[int] = []
        if verdict is not None and verdict.refused is None:
            for row, refused in zip(self._nodes.objects, verdict.nodes, strict=True):
                if (refused is not None and refused.unresolvable) or ask.pin not in (ANY, row):
                    continue
                lower = self._lower(ask, row)
                if refused is not None or any(self._volumes.shares(ask.pod, seat.pod) for seat in lower):
                    veto[row] = VETO_STAYS
                    if self._volumes_go(ask.pod, row, lower):
                        tried.append(row)
        veto = veto if ask.pin == ANY else self._evaluator.veto_but(ask.pin, veto)
        return veto, tried, verdict is not None and verdict.refused is not None

    def _volumes_go(self, pod: Pod, row: int, without: Sequence[Seat]) -> bool:
        gone = [seat.pod for seat in without]
        node = (self._nodes.objects[row],)
        verdict = self._volumes.evaluate(pod, node, without=gone, beside=self._held.beside(pod))
        return verdict.refused is None and verdict.nodes[0] is None

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
        if not self._fits(ask, row, away):
            return None
        protected = self._budgets.violated([seat.pod for seat in away])
        violations = 0
        for violates in (True, False):
            for seat in [seat for seat in away if (seat.pod.metadata.uid in protected) is violates]:
                away.remove(seat)
                if not (self._fits(ask, row, away) and self._volumes_go(ask.pod, row, away)):
                    away.append(seat)
                    violations += violates
        away.sort(key=lambda seat: (-seat.pod.priority, started_ms(seat.pod)))
        return _Candidate(row, tuple(away), _cost(away, violations))

    def _fits(self, ask: Ask, row: int, without: Sequence[Seat]) -> bool:
        """Whether all filters but those of volumes let the pod onto the node when those pods are gone."""
        rows = as_rows([seat.row for seat in without])
        with self._held.without(ask.pod):
            reason: int = self._arrays.kernels.without(
                self._arrays.state, ask.number, row, ask.pod.priority, NO_VETO, rows
            )
        return reason == 0

    def _no_victims(self, ask: Ask, lacking: I64) -> NoPreemption:
        """``lacking`` counts the nodes that are short of each resource with all lower pods gone."""
        rows = list(self._nodes.objects)
        outcome = self._arrays.state.list_n[rows].tolist()
        said = Counter(BEYOND_HELP[code] for code in outcome if code not in (BY_RESOURCES, BY_VOLUMES))
        for name, column in self._shapes.resources.items():
            said["Too many pods" if column == PODS else f"Insufficient {name}"] = int(lacking[column])
        for row in (row for row, code in zip(rows, outcome, strict=True) if code == BY_VOLUMES):
            lower = [seat.pod for seat in self._lower(ask, row)]
            node = (self._nodes.objects[row],)
            verdict = self._volumes.evaluate(ask.pod, node, without=lower, beside=self._held.beside(ask.pod))
            refused = verdict.refused or verdict.nodes[0]
            said.update(refused.reasons if refused else ())
        return NoPreemption(f"0/{len(rows)} nodes are available: {counted(said.items())}.")


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
