"""Labels as numbers: a column per label key that some selector or topology names, a number per value of the column.

What a requirement says of each value is worked out once, in a table of truth; kernels only look it up. Keys that
nothing refers to take no room, however many labels a node has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..core.state import NAME
from ..objects import NodeSelectorTerm, Requirement
from ..selectors import node_selector_term
from .arrays import Arrays, Pool, room

FIELD_NAME = "metadata.name"
_NAME_KEY = " name"
"""Stands for the column of node names; no label key has a space."""


class Columns:
    """Which label keys have a column, and what is true of their values."""

    def __init__(self, arrays: Arrays, nodes: Mapping[int, Mapping[str, str]]) -> None:
        """``nodes`` maps rows of nodes to their labels, as they are at any time."""
        self._arrays = arrays
        self._nodes = nodes
        self._column = {_NAME_KEY: NAME}
        self._values: list[dict[str, int]] = [{}]
        self._requirements: dict[tuple[int, str, tuple[str, ...]], int] = {}
        self._tables: list[tuple[int, Callable[[str | None], bool], int]] = []
        self._by_column: list[list[int]] = [[]]
        self._truth = Pool(arrays, "truth")
        self.on_new_value: list[Callable[[int], None]] = []
        """Called with a column whose values have become more."""

    def column(self, key: str) -> int:
        """The column of a label key; filled for all nodes when it is new."""
        column = self._column.get(key)
        if column is None:
            column = len(self._values)
            self._column[key] = column
            self._values.append({})
            self._by_column.append([])
            self._arrays.ensure(columns=column + 1)
            for row, labels in self._nodes.items():
                self.write(row, column, labels.get(key))
        return column

    def fill(self, row: int, name: str, labels: Mapping[str, str]) -> None:
        """Write a node's name and labels."""
        for key, column in self._column.items():
            self.write(row, column, name if column == NAME else labels.get(key))

    def clear(self, row: int) -> None:
        self._arrays.state.labels[:, row] = -1

    def write(self, row: int, column: int, value: str | None) -> None:
        number = -1 if value is None else self._number(column, value)
        self._arrays.state.labels[column, row] = number

    def _number(self, column: int, value: str) -> int:
        values = self._values[column]
        number = values.get(value)
        if number is None:
            number = values[value] = len(values)
            self._arrays.ensure(domains=number + 2)
            self._arrays.state.cards[column] = number + 1
            for requirement in self._by_column[column]:
                self._extend(requirement, value, number)
            for listener in self.on_new_value:
                listener(column)
        return number

    def requirement(self, line: Requirement, *, field: bool, of: str) -> int:
        """The number of one line of a node selector. Raises ``SelectorError`` when it means nothing."""
        column = NAME if field else self.column(line.key)
        key = (column, line.operator, line.values or ())
        known = self._requirements.get(key)
        if known is None:
            holds = _by_field(line, of) if field else _by_label(line, of)
            known = self._requirements[key] = self._tabulate(column, line, holds)
        return known

    def _tabulate(self, column: int, line: Requirement, holds: Callable[[str | None], bool]) -> int:
        number, values = len(self._tables), self._values[column]
        capacity = room(len(values) + 2)
        at = self._truth.reserve(capacity)
        self._arrays.ensure(requirements=number + 1)
        state = self._arrays.state
        table = state.truth[at : at + capacity]
        if line.operator in ("In", "NotIn"):
            # a set of thousands of values (host names, say) is not asked about each
            table[: len(values) + 1] = line.operator == "NotIn"
            for value in line.values or ():
                if value in values:
                    table[values[value] + 1] = line.operator == "In"
            table[0] = holds(None)
        else:
            table[: len(values) + 1] = np.fromiter((holds(value) for value in (None, *values)), np.uint8)
        state.truth_at[number], state.truth_column[number] = at, column
        self._tables.append((capacity, holds, column))
        self._by_column[column].append(number)
        return number

    def _extend(self, requirement: int, value: str, number: int) -> None:
        capacity, holds, column = self._tables[requirement]
        if number + 2 > capacity:
            old, larger = int(self._arrays.state.truth_at[requirement]), room(number + 2)
            at = self._truth.reserve(larger)
            truth = self._arrays.state.truth
            truth[at : at + capacity] = truth[old : old + capacity]
            self._arrays.state.truth_at[requirement] = at
            self._tables[requirement] = (larger, holds, column)
        self._arrays.state.truth[self._arrays.state.truth_at[requirement] + number + 1] = holds(value)


def _by_label(line: Requirement, of: str) -> Callable[[str | None], bool]:
    predicate = node_selector_term(NodeSelectorTerm(match_expressions=(line,)), of=of)
    return lambda value: predicate({} if value is None else {line.key: value}, {})


def _by_field(line: Requirement, of: str) -> Callable[[str | None], bool]:
    predicate = node_selector_term(NodeSelectorTerm(match_fields=(line,)), of=of)
    if line.key != FIELD_NAME:
        return lambda value: predicate({}, {FIELD_NAME: value or ""})
    return lambda value: value is not None and predicate({}, {FIELD_NAME: value})
