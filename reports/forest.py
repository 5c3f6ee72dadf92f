"""Intervals of many comparisons under one another, on one axis around no difference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from idcbench.runs.comparison import Difference

from .axes import class_of
from .svg import Logarithmic, element, percent

_HEIGHT, _ROW = 22, 13
_WIDEST = 100.0
"""Ratios are drawn up to this; what is beyond goes to the edge."""
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1.0, 1.25, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_GAP = 0.09
"""Ticks closer than this share of the width would touch."""


def scale_of(differences: Sequence[Difference], minimum_effect: float) -> Logarithmic:
    """As wide as the ratios need, the same both ways, and at least three times the minimum effect."""
    edges = [edge for one in differences if one.scale == "ratio" for edge in (one.low, one.high, one.value) if edge]
    widest = max([(1 + minimum_effect) ** 3, *(max(edge, 1 / edge) for edge in edges)])
    reach = min(_WIDEST, min(_WIDEST, widest) ** 1.08)
    return Logarithmic(1 / reach, reach)


def intervals(sides: Sequence[Difference], x: Logarithmic, minimum_effect: float) -> str:
    """Each side's ratio as a dot and its interval as a line, over the band in which it would be the same.

    Empty when no side has a ratio.
    """
    drawn = [one for one in sides if one.scale == "ratio" and one.value is not None]
    if not drawn:
        return ""
    height, low, high = _ROW * len(drawn) + _HEIGHT - _ROW, 1 / (1 + minimum_effect), 1 + minimum_effect
    parts = [
        element("rect", x=percent(x(low)), width=percent(x(high) - x(low)), y=0, height=height, class_="alike"),
        element("line", x1="50%", x2="50%", y1=0, y2=height, class_="grid"),
    ]
    for row, one in enumerate(drawn):
        parts += _drawn(one, x, _HEIGHT / 2 + _ROW * row)
    said = "; ".join(_in_words(one, several=len(sides) > 1) for one in drawn)
    return element("svg", *parts, class_="cell", width="100%", height=height, role="img", aria_label=said)


def _drawn(one: Difference, x: Logarithmic, middle: float) -> Iterator[str]:
    side = class_of(one.side)
    if one.low is not None and one.high is not None:
        ends = {"x1": percent(x(one.low)), "x2": percent(x(one.high))}
        yield element("line", **ends, y1=middle, y2=middle, class_=f"whisker {side}")
    if one.value is not None:
        yield element("circle", cx=percent(x(one.value)), cy=middle, r=4, class_=f"box {side}")


def _in_words(one: Difference, *, several: bool) -> str:
    said = f"{f'{one.side}: ' if several else ''}{one.value:.3g} times"
    if one.low is None or one.high is None:
        return said
    return f"{said}, 95 % interval {one.low:.3g} to {one.high:.3g}"


def axis(x: Logarithmic) -> str:
    """The axis for the head of the column: ticks that do not touch, those nearest to 1 first."""
    ticks: list[float] = []
    for tick in sorted(_TICKS, key=lambda each: abs(math.log(each))):
        if 0.04 < x(tick) < 0.96 and all(abs(x(tick) - x(other)) > _GAP for other in ticks):
            ticks.append(tick)
    parts = [
        element("text", text=f"{tick:g}×", x=percent(x(tick)), y=_HEIGHT - 6, class_="tick", text_anchor="middle")
        for tick in sorted(ticks)
    ]
    return element("svg", *parts, class_="cell", width="100%", height=_HEIGHT, aria_hidden="true")
