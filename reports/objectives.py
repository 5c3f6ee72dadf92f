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
    ``series`` is how many series of the metric it stands for, 1 unless :func:`gathered` put some together.
    """

    name: str
    metric: str
    statistic: str
    at_most: float
    unit: str
    value: float | None = None
    met: bool | None = None
    labels: dict[str, str] = {}
    series: int = 1

    @property
    def word(self) -> Met:
        if self.value is None or self.met is None:
            return "too few samples"
        return "met" if self.met else "not met"


def gathered(objectives: Iterable[Objective]) -> list[Objective]:
    """The same, those that nobody can judge put together by objective and metric: a page of "too few" says nothing."""
    found: dict[tuple[str, str] | int, Objective] = {}
    for number, one in enumerate(objectives):
        key = number if one.met is not None else (one.name, one.metric)
        before = found.get(key)
        found[key] = msgspec.structs.replace(one, labels={}, series=before.series + 1) if before else one
    return list(found.values())


def objectives_of(events: Iterable[Event]) -> Iterator[Objective]:
    """Every objective that a timeline tells; what is none is left out."""
    for event in events:
        if event["what"] == "objective":
            try:
                yield msgspec.convert(event, type=Objective)
            except msgspec.ValidationError:
                continue
