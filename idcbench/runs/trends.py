"""The trend of each metric over runs: the record that reports read and `idcbench history --json` prints."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .comparison import Changed, Quantile
from .schema import Better


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One run's value."""

    run: str
    started: str
    value: float


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """A change point: from ``after`` on, a run, the values lie on another level than up to the run ``before``.

    ``index`` is the first point of the new level. ``a`` and ``b`` are the levels (geometric means for a ratio) up to
    the change points next to it, of at most 50 runs each; ``value`` is ``b / a``, or ``b - a`` when ``scale`` is
    ``difference``, ``low`` to ``high`` its 95 % interval, ``None`` below 5 runs on a side. ``p`` is that of so clear a
    change in a series without any. ``changed`` is in what the two runs differ: settings, versions, machine.
    """

    index: int
    before: str
    after: str
    a: float
    b: float
    scale: Literal["ratio", "difference"]
    value: float
    low: float | None
    high: float | None
    p: float
    word: Literal["better", "worse", "higher", "lower"]
    changed: tuple[Changed, ...] = ()


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """One quantile of one metric, oldest run first; runs that do not have it are left out."""

    name: str
    labels: dict[str, str] = {}
    unit: str
    better: Better
    definition: str = ""
    quantile: Quantile
    points: tuple[Point, ...]
    shifts: tuple[Shift, ...] = ()


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of one target whose figures may be set beside each other: ``settings`` is what they have in common."""

    target: str
    settings: dict[str, str]
    runs: tuple[str, ...]
    trends: tuple[Trend, ...] = ()


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A run, or a metric of one, that is in no trend, and why."""

    what: str
    why: str


class History(msgspec.Struct, frozen=True, kw_only=True):
    """``lines`` has the line of the newest run first; ``level`` is the chance that one trend shows a false change."""

    level: float
    minimum_effect: float
    lines: tuple[Line, ...]
    left_out: tuple[LeftOut, ...] = ()


def json_schema() -> dict[str, Any]:
    """The JSON schema of a history, published as docs/history.schema.json."""
    return msgspec.json.schema(History)
