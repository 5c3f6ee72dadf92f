"""Small charts for the cells of a table: every value of a few as a dot, the spread of many as a bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from idcbench.measure.statistics import Values, summarize

from .figures import duration, figure
from .svg import Linear, element, percent

_HEIGHT = 22
_EACH = 40
"""Up to so many values each is drawn; above, their quantiles."""


def dots(values_ms: Sequence[float], *, longest_ms: float, bound_ms: float | None) -> str:
    """Durations on an axis from 0 to ``longest_ms``: each value a dot, the median a stroke, the bound a dashed line."""
    x = Linear(0.0, max(longest_ms, 1e-9))
    middle = _HEIGHT / 2
    summary = summarize(values_ms)
    parts = [element("line", x1="0%", x2="100%", y1=middle, y2=middle, class_="grid")]
    if len(values_ms) <= _EACH:
        parts += [element("circle", cx=percent(x(value)), cy=middle, r=3.5, class_="dot") for value in values_ms]
    elif summary.min is not None and summary.max is not None:
        parts.append(_bar(x, summary.min, summary.max, "range"))
    if summary.ci95:
        parts.append(_bar(x, *summary.ci95, "sure"))
    if summary.p50 is not None:
        parts.append(_stroke(x, summary.p50, "median", 6))
    if bound_ms is not None:
        parts.append(_stroke(x, bound_ms, "bound", 0))
    said = (
        ", ".join(duration(value) for value in sorted(values_ms)) if len(values_ms) <= _EACH else _in_words(values_ms)
    )
    limit = f"; bound {duration(bound_ms)}" if bound_ms is not None else ""
    return _cell(parts, f"values {said or 'none'}{limit}")


def axis(*, longest_ms: float) -> str:
    """The axis that belongs to :func:`dots`, for the head of the column."""
    x = Linear(0.0, max(longest_ms, 1e-9))
    parts = [
        element(
            "text", text=duration(tick) if tick else "0", x=percent(x(tick)), y=_HEIGHT - 6, class_="tick",
            text_anchor="middle" if tick else None,
        )
        for tick in x.ticks(4) if x(tick) < 0.93
    ]  # fmt: skip
    return element("svg", *parts, class_="cell", width="100%", height=_HEIGHT, aria_hidden="true")


def percentile_bar(values: Sequence[float] | Values, *, unit: str) -> str:
    """The spread of values from 0 (or the lowest) to the highest: empty for fewer than two."""
    summary = summarize(values)
    if summary.min is None or summary.max is None or summary.p50 is None or summary.n == 1:
        return ""
    x = Linear(min(0.0, summary.min), max(summary.max, 1e-12))
    upper = summary.p95 if summary.p95 is not None else summary.max
    parts = [
        element("line", x1=percent(x(summary.min)), x2=percent(x(summary.max)), y1=11, y2=11, class_="range"),
        _bar(x, summary.min, upper, "bulk"),
    ]
    if summary.n <= _EACH:
        parts += [element("circle", cx=percent(x(value)), cy=_HEIGHT / 2, r=3, class_="dot") for value in values]
    strokes = ((summary.p50, "median", 5), (summary.p95, "tail", 6), (summary.p99, "tail", 6))
    parts += [_stroke(x, value, class_, inset) for value, class_, inset in strokes if value is not None]
    return _cell(parts, f"from {figure(summary.min, unit)} to {figure(summary.max, unit)}")


def _in_words(values_ms: Sequence[float]) -> str:
    array = np.asarray(values_ms)
    return f"from {duration(array.min())} to {duration(array.max())}, median {duration(float(np.median(array)))}"


def _bar(x: Linear, low: float, high: float, class_: str) -> str:
    return element(
        "rect", x=percent(x(low)), width=percent(x(high) - x(low)), y=_HEIGHT / 2 - 3, height=6, class_=class_
    )


def _stroke(x: Linear, value: float, class_: str, inset: float) -> str:
    place = percent(x(value))
    return element("line", x1=place, x2=place, y1=inset, y2=_HEIGHT - inset, class_=class_)


def _cell(parts: Sequence[str], said: str) -> str:
    return element("svg", *parts, class_="cell", width="100%", height=_HEIGHT, role="img", aria_label=said)
