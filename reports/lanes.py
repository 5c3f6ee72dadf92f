"""Values over time, a lane for each side: what a quantile cannot show, such as a stall, a drift or a pause."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from idcbench.measure.statistics import Values

from .axes import Scale, at, class_of, grid, scale_of, stretched
from .figures import duration, figure
from .svg import Linear, element, number

Timed = tuple[str, Values, Values]
"""A side's letter, the times of its values in s from the first, and the values."""
_LANE, _GAP, _AXIS = 54.0, 10.0, 22.0
_COLUMNS = 300
"""Of each column the lowest and the highest value are drawn, so that none that stands out is lost."""


def lanes(sides: Sequence[Timed], *, unit: str) -> str:
    """One lane each on the same two axes; empty unless a side has two values at different times."""
    drawn = [one for one in sides if len(one[1]) > 1]
    longest_s = max((float(at_s.max()) for _, at_s, _ in drawn), default=0.0)
    if not longest_s:
        return ""
    x = Linear(0.0, longest_s)
    y = scale_of(np.concatenate([values for _, _, values in drawn]))
    bottom = (_LANE + _GAP) * len(drawn)
    parts, said = grid(x, "s", top=0, bottom=bottom), []
    for row, (name, at_s, values) in enumerate(drawn):
        top = (_LANE + _GAP) * row
        path = element("path", d=_extremes(x, y, at_s, values), class_=f"extremes {class_of(name)}")
        line = element("line", x1=at(x, 0.0), x2=at(x, longest_s), y1=top + _LANE, y2=top + _LANE, class_="grid")
        highest = element("text", text=figure(y.high, unit), x=at(x, 0.0), dx=3, y=top + 10, class_="tick halo")
        parts += [
            line,
            stretched(path, top, _LANE),
            element("text", text=name, x=0, y=top + 12, class_="tick"),
            highest,
        ]
        said.append(_in_words(name, at_s, values, unit))
    return element(
        "svg", *parts, class_="chart", width="100%", height=bottom + _AXIS, role="img", aria_label="; ".join(said)
    )


def _in_words(name: str, at_s: Values, values: Values, unit: str) -> str:
    highest, when_s = figure(float(values.max()), unit), float(at_s[int(values.argmax())])
    span = duration(float(at_s.max()) * 1000)
    return f"{name}: {len(values)} values in {span}, the highest {highest} after {duration(when_s * 1000)}"


def _extremes(x: Linear, y: Scale, at_s: Values, values: Values) -> str:
    """A stroke from the lowest to the highest value of each column that has any, over 600 units of width."""
    column = np.minimum((x.all(at_s) * _COLUMNS).astype(int), _COLUMNS - 1)
    height = (_LANE - 4) * (1 - y.all(values)) + 2
    low, high = np.full(_COLUMNS, np.inf), np.full(_COLUMNS, -np.inf)
    np.minimum.at(low, column, height)
    np.maximum.at(high, column, height)
    path, former_x, former_y = [], 0.0, 0.0
    for one in np.flatnonzero(np.isfinite(low)):
        to_x, to_y, length = 2.0 * float(one) + 1, round(float(low[one]), 1), round(float(high[one] - low[one]), 1)
        path.append(f"m{number(to_x - former_x)} {number(round(to_y - former_y, 1))}v{number(length)}")
        former_x, former_y = to_x, to_y + length
    return "".join(path)
