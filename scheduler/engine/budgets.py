"""Disruption budgets: how many pods of a class may still be taken away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ..core.state import I32
from ..objects import DisruptionBudget, Pod
from ..selectors import SelectorError, label_selector
from .arrays import Arrays
from .classes import Classes
from .members import Identity, is_empty
from .seats import Seats


class Budgets:
    """The budgets by name; written to the arrays when preemption asks."""

    def __init__(self) -> None:
        self._budgets: dict[tuple[str, str], DisruptionBudget] = {}

    def set(self, budget: DisruptionBudget) -> None:
        self._budgets[budget.metadata.namespace, budget.metadata.name] = budget

    def remove(self, budget: DisruptionBudget) -> None:
        self._budgets.pop((budget.metadata.namespace, budget.metadata.name), None)

    def violated(self, pods: Sequence[Pod]) -> frozenset[str]:
        """The UIDs of those, in order, that are one too many for a budget when all go."""
        left = {key: budget.status.disruptions_allowed for key, budget in self._budgets.items()}
        found = set()
        for pod in pods:
            for key, budget in self._budgets.items():
                excused = pod.metadata.name in (budget.status.disrupted_pods or ())
                if excused or not protects(budget, Identity(pod.metadata.namespace, pod.metadata.labels or {})):
                    continue
                left[key] -= 1
                if left[key] < 0:
                    found.add(pod.metadata.uid)
                    break
        return frozenset(found)

    def allowed(self, classes: Classes, arrays: Arrays, seats: Seats) -> I32:
        """Disruptions that each budget allows; whom it protects, and whom not, is in the arrays afterwards."""
        self._excuse(arrays, seats)
        guards: list[list[int]] = [[] for _ in range(len(classes))]
        for i, budget in enumerate(self._budgets.values()):
            for number in range(len(classes)):
                if protects(budget, classes.identity(number)):
                    guards[number].append(i)
        flat = [i for guarded in guards for i in guarded]
        arrays.ensure(budgets=len(flat))
        state, at = arrays.state, 0
        for number, guarded in enumerate(guards):
            state.guarded_at[number], state.guarded_len[number] = at, len(guarded)
            state.guarded[at : at + len(guarded)] = guarded
            at += len(guarded)
        return np.array([b.status.disruptions_allowed for b in self._budgets.values()] or [0], np.int32)

    def _excuse(self, arrays: Arrays, seats: Seats) -> None:
        """Note the pods that a budget counts as disrupted already (``status.disruptedPods``): they cost it nothing."""
        gone: dict[tuple[str, str], list[int]] = defaultdict(list)
        for i, budget in enumerate(self._budgets.values()):
            for name in budget.status.disrupted_pods or ():
                gone[budget.metadata.namespace, name].append(i)
        rows = [
            (seat.row, i)
            for seat in (seats.by_uid.values() if gone else ())
            for i in gone.get((seat.pod.metadata.namespace, seat.pod.metadata.name), ())
        ]
        arrays.ensure(excused=len(rows))
        arrays.state.excused[:] = -1
        if rows:
            arrays.state.excused[: len(rows)] = rows


def protects(budget: DisruptionBudget, identity: Identity) -> bool:
    """As upstream's preemption sees it: an empty selector selects none, and a pod without labels has no budget."""
    if identity.namespace != budget.metadata.namespace or not identity.labels or is_empty(budget.spec.selector):
        return False
    try:
        return label_selector(budget.spec.selector, of=f"budget {budget.metadata.name}")(identity.labels)
    except SelectorError:
        return False
