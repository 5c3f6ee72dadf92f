"""Disruption budgets: how many pods of a class may still be taken away."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ..core.state import I32
from ..objects import DisruptionBudget
from ..selectors import SelectorError, label_selector
from .arrays import Arrays
from .classes import Classes
from .members import is_empty
from .seats import Seats


class Budgets:
    """The budgets by name; written to the arrays when preemption asks."""

    def __init__(self) -> None:
        self._budgets: dict[tuple[str, str], DisruptionBudget] = {}

    def set(self, budget: DisruptionBudget) -> None:
        self._budgets[budget.metadata.namespace, budget.metadata.name] = budget

    def remove(self, budget: DisruptionBudget) -> None:
        self._budgets.pop((budget.metadata.namespace, budget.metadata.name), None)

    def allowed(self, classes: Classes, arrays: Arrays, seats: Seats) -> I32:
        """Disruptions that each budget allows; whom it protects, and whom not, is in the arrays afterwards."""
        self._excuse(arrays, seats)
        guards: list[list[int]] = [[] for _ in range(len(classes))]
        for i, budget in enumerate(self._budgets.values()):
            if is_empty(budget.spec.selector):
                continue  # upstream's preemption takes an empty selector for none
            try:
                holds = label_selector(budget.spec.selector, of=f"budget {budget.metadata.name}")
            except SelectorError:
                continue
            for number in range(len(classes)):
                identity = classes.identity(number)
                # as upstream, a pod without labels belongs to no budget
                if identity.namespace == budget.metadata.namespace and identity.labels and holds(identity.labels):
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
