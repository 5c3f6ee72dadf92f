"""The arrays of the core, with room made as it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..core import kernels
from ..core.allocation import Sizes, allocate, enlarge
from ..core.state import I32, State


class Arrays:
    """``state`` is replaced when something grows: never keep it, or an array of it, across a call that may add."""

    def __init__(self, *, seed: int, boards: int) -> None:
        self.sizes = Sizes(boards=boards)
        self.state: State = allocate(self.sizes)
        self.state.random[0] = seed * 2 + 1
        self.kernels = kernels

    def ensure(self, **wanted: int) -> None:
        """Room for that many rows along the named axes of :class:`Sizes`."""
        short = {axis: size for axis, size in wanted.items() if size > getattr(self.sizes, axis)}
        if short:
            sizes = replace(
                self.sizes, **{axis: max(size, 2 * getattr(self.sizes, axis)) for axis, size in short.items()}
            )
            self.state = enlarge(self.state, self.sizes, sizes)
            self.sizes = sizes


class Rows:
    """Numbers for things: the lowest that is free, so that rows are used again."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self.end = 0
        """One past the highest number ever given."""

    def take(self) -> int:
        if self._free:
            return self._free.pop()
        self.end += 1
        return self.end - 1

    def give_back(self, row: int) -> None:
        self._free.append(row)

    def __len__(self) -> int:
        return self.end - len(self._free)


class Pool:
    """Lists of numbers that grow, laid end to end in one array of the state; a list that is full moves."""

    def __init__(self, arrays: Arrays, axis: str) -> None:
        self._arrays = arrays
        self._axis = axis
        self._end = 0

    def reserve(self, size: int) -> int:
        """Where ``size`` fresh rows begin."""
        at = self._end
        self._end += size
        self._arrays.ensure(**{self._axis: self._end})
        return at

    def write(self, numbers: Sequence[int]) -> int:
        """Where the numbers now begin; for pools that have one array of their axis' name."""
        at = self.reserve(len(numbers))
        array: I32 = getattr(self._arrays.state, self._axis)
        array[at : at + len(numbers)] = numbers
        return at


def room(size: int) -> int:
    """A capacity for ``size`` rows with some to spare."""
    return max(4, 1 << (max(size, 1) - 1).bit_length())


def as_rows(numbers: Sequence[int]) -> I32:
    return np.array(numbers, np.int32)
