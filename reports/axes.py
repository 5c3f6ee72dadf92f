"""The horizontal axis that charts of values share, and how the sides of a chart are told apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from idcbench.measure.statistics import Values

from .figures import figure
from .svg import Linear, Logarithmic, element, percent

Scale = Linear | Logarithmic
Sides = Sequence[tuple[str, Values]]
"""Each side's letter with its values."""
LEFT, RIGHT = 5.0, 97.0
"""Where a chart begins and ends, in percent of its width; left of it stand the names of its rows."""
COLUMNS = 600
"""A chart is drawn to so many columns: no screen on which it is read shows more of them apart."""
_SPREAD = 20.0
"""Where the largest value is so many times the median, the axis is logarithmic."""
_DECADES = 6


def class_of(letter: str) -> str:
    """The class that gives a side its colour and its dashes, the same in every chart."""
    return f"side-{letter.lower()}"


def scale_of(values: Values) -> Scale:
    """From the lowest, or 0 where that is near, to the highest of ``values``, which are not empty."""
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > _SPREAD * middle(values):
        return Logarithmic(low, high)
    return Linear(min(low, 0.0) if high > 2 * (high - low) else low, high if high > low else low + 1.0)


def middle(values: Values) -> float:
    """The lower one of two in the middle: their sum may be more than a number can hold."""
    return float(np.quantile(values, 0.5, method="lower"))


def grid(x: Scale, unit: str, *, top: float, bottom: float) -> list[str]:
    """Lines and figures at round values; the figures stand below ``bottom``."""
    ticks = x.decades() if isinstance(x, Logarithmic) else x.ticks(4)
    parts = []
    for tick in ticks[:: -(-len(ticks) // _DECADES) or 1]:
        place = at(x, tick)
        parts.append(element("line", x1=place, x2=place, y1=top, y2=bottom, class_="grid"))
        if 0 <= x(tick) < 0.95:
            text = figure(tick, unit)
            parts.append(element("text", text=text, x=place, y=bottom + 16, class_="tick", text_anchor="middle"))
    return parts


def at(x: Scale, value: float) -> str:
    """Where a value is, as a share of the width."""
    return percent((LEFT + (RIGHT - LEFT) * x(value)) / 100)


def stretched(content: str, top: float, height: float) -> str:
    """Paths over :data:`COLUMNS` columns, laid over the width of the axis; their strokes keep their own."""
    return element(
        "svg", content, x=f"{LEFT}%", y=top, width=f"{RIGHT - LEFT}%", height=height,
        viewBox=f"0 0 {COLUMNS} {height:g}", preserveAspectRatio="none",
    )  # fmt: skip
