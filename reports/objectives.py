"""Objectives that a run was measured against, in their official words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from idcbench.runs.timeline import Event

Met = Literal["met", "not met", "too few samples"]


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """The event ``objective``: ``statistic`` of ``metric`` is to be ``at_most`` that; ``value`` is what it was.

    ``name`` is the objective as who set it worded it. Without ``value`` or ``met`` there were too few samples to say.
    """

    name: str
    metric: str
    statistic: str
    at_most: float
    unit: str
    value: float | None = None
    met: bool | None = None
    labels: dict[str, str] = {}

    @property
    def word(self) -> Met:
        if self.value is None or self.met is None:
            return "too few samples"
        return "met" if self.met else "not met"


def objectives_of(events: Iterable[Event]) -> Iterator[Objective]:
    """Every objective that a timeline tells; what is none is left out."""
    for event in events:
        if event["what"] == "objective":
            try:
                yield msgspec.convert(event, type=Objective)
            except msgspec.ValidationError:
                continue
