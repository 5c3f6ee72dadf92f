"""The quantiles of several sides as bars, with how sure each is by its rounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from idcbench.measure.statistics import SMALLEST_N, Summary, Values, quantile, summarize

from .axes import LEFT, class_of, middle
from .figures import figure, spread
from .svg import Linear, element, percent

Rounds = Sequence[Values]
_ROW, _BAR, _GAP = 18.0, 10.0, 8.0
_BEGIN, _END = LEFT + 6.0, 84.0


def quantile_bars(sides: Sequence[tuple[str, Rounds]], *, unit: str) -> str:
    """p50, p95 and p99 of each side: the middle one of its rounds, with the 95 % interval of that middle as a line.

    A quantile that the rounds of no side are large enough for is left out; empty when none is left.
    """
    rows = list(_rows(sides))
    if not rows:
        return ""
    highest = max(max(found.p50 or 0.0, found.ci95[1] if found.ci95 else 0.0) for _, _, found in rows)
    x = Linear(0.0, highest or 1.0)
    parts, said, top, former = [], [], 0.0, ""
    for name, letter, found in rows:
        top += _GAP if former and name != former else 0.0
        parts += [*_bar(x, name if name != former else "", letter, found, top), _value(found, unit, top)]
        interval = f" ({spread(*found.ci95, unit)})" if found.ci95 else ""
        said.append(f"{name} of {letter} {figure(found.p50, unit)}{interval}")
        top, former = top + _ROW, name
    return element("svg", *parts, class_="chart", width="100%", height=top, role="img", aria_label="; ".join(said))


def _rows(sides: Sequence[tuple[str, Rounds]]) -> Iterator[tuple[str, str, Summary]]:
    for q in SMALLEST_N:
        for letter, rounds in sides:
            single = all(len(values) == 1 for values in rounds)
            if single and q != 0.5:
                continue
            found = [middle(values) if single else quantile(np.sort(values), q) for values in rounds if len(values)]
            known = [value for value in found if value is not None and value >= 0]
            if known and len(known) == len(found):
                yield f"p{q * 100:g}", letter, summarize(known)


def _bar(x: Linear, name: str, letter: str, found: Summary, top: float) -> list[str]:
    middle_y = top + _ROW / 2
    width = (_END - _BEGIN) * x(found.p50 or 0.0) / 100
    parts = [
        element("text", text=name, x=0, y=middle_y + 4, class_="tick"),
        element("text", text=letter, x=percent(_BEGIN / 100), dx=-6, y=middle_y + 4, class_="tick", text_anchor="end"),
        element(
            "rect",
            x=f"{_BEGIN}%",
            width=percent(width),
            y=middle_y - _BAR / 2,
            height=_BAR,
            class_=f"box {class_of(letter)}",
        ),
    ]
    if found.ci95:
        low, high = (percent((_BEGIN + (_END - _BEGIN) * x(edge)) / 100) for edge in found.ci95)
        parts.append(element("line", x1=low, x2=high, y1=middle_y, y2=middle_y, class_="interval"))
    return parts


def _value(found: Summary, unit: str, top: float) -> str:
    return element("text", text=figure(found.p50, unit), x="100%", y=top + _ROW / 2 + 4, text_anchor="end")
