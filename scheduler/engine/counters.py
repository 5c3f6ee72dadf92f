"""Counters of pods per topology domain: which there are, who counts in them, and who looks at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.state import AT, COLUMN, FLAGS, MASK
from .arrays import Arrays, Pool, room
from .columns import Columns


@dataclass(frozen=True)
class Mask:
    """The nodes that count. -1 stands for no demand of that sort."""

    program: int = -1
    tolerations: int = -1
    columns: tuple[int, ...] = ()


ALL_NODES = Mask()


class Counters:
    """Rows of counters. The same key gives the same counter; who counts in it is asked of ``members``."""

    def __init__(self, arrays: Arrays, columns: Columns, program: Callable[[Sequence[int]], int]) -> None:
        """``program`` keeps a run of numbers and tells where it is."""
        self._arrays = arrays
        self._program = program
        self._counts = Pool(arrays, "counts")
        self._known: dict[tuple[object, ...], int] = {}
        self._masks: dict[Mask, int] = {}
        self._capacity: list[int] = []
        self._by_column: dict[int, list[int]] = defaultdict(list)
        columns.on_new_value.append(self._grow)

    def __len__(self) -> int:
        return len(self._capacity)

    def find(self, key: tuple[object, ...]) -> int | None:
        return self._known.get(key)

    def add(self, key: tuple[object, ...], *, column: int, mask: Mask = ALL_NODES, flags: int = 0) -> int:
        """A new counter, all zero until it is counted."""
        number = len(self._capacity)
        at_mask = -1 if mask == ALL_NODES else self._mask(mask)
        capacity = room(int(self._arrays.state.cards[column]) + 1)
        at = self._counts.reserve(capacity)
        self._arrays.ensure(counters=number + 1)
        row = self._arrays.state.counter[number]
        row[AT], row[COLUMN], row[MASK], row[FLAGS] = at, column, at_mask, flags
        self._capacity.append(capacity)
        self._by_column[column].append(number)
        self._known[key] = number
        return number

    def count(self, number: int, members: Iterable[int], classes: int) -> None:
        """Count the pods that are there, given the classes that count in it out of so many."""
        member = np.zeros(max(classes, 1), np.uint8)
        member[list(members)] = 1
        self._arrays.kernels.recount(self._arrays.state, number, member)

    def _mask(self, mask: Mask) -> int:
        number = self._masks.get(mask)
        if number is None:
            number = self._masks[mask] = len(self._masks)
            columns = self._program((len(mask.columns), *mask.columns)) if mask.columns else -1
            self._arrays.ensure(masks=number + 1)
            self._arrays.state.mask_of[number] = mask.program, mask.tolerations, columns
            self._arrays.kernels.fill_mask(self._arrays.state, number)
        return number

    def _grow(self, column: int) -> None:
        """A column has another value: give its counters room for it."""
        needed = int(self._arrays.state.cards[column])
        for number in self._by_column[column]:
            if needed > self._capacity[number]:
                self._move(number, room(needed))

    def _move(self, number: int, capacity: int) -> None:
        old, held = int(self._arrays.state.counter[number, AT]), self._capacity[number]
        at = self._counts.reserve(capacity)
        state = self._arrays.state
        for array in (state.counts, state.present):
            array[at : at + held] = array[old : old + held]
        state.counter[number, AT] = at
        self._capacity[number] = capacity
