"""Box plots of several sides under one another, on one axis."""

from __future__ import annotations

import numpy as np

from idcbench.measure.statistics import Values

from .axes import COLUMNS, Scale, Sides, at, class_of, grid, scale_of, stretched
from .figures import figure
from .svg import element, number, percent

_ROW, _BOX, _AXIS = 26.0, 12.0, 22.0
_FENCE = 1.5
"""Times the box's width, where whiskers end at most (Tukey, Exploratory Data Analysis, 1977); beyond is an outlier."""


def boxes(sides: Sides, *, unit: str) -> str:
    """Quartiles as a box, the median as a stroke, whiskers, and a mark for every outlier (one where several meet)."""
    drawn = [(name, values) for name, values in sides if len(values)]
    if not drawn:
        return ""
    x = scale_of(np.concatenate([values for _, values in drawn]))
    height = _ROW * len(drawn) + _AXIS
    parts, said = grid(x, unit, top=0, bottom=height - _AXIS), []
    for row, (name, values) in enumerate(drawn):
        low, q1, q2, q3, high = _five(values)
        top = _ROW * row
        parts += [
            element("text", text=name, x=0, y=top + 17, class_="tick"),
            *_box(x, name, top, (low, q1, q2, q3, high)),
        ]
        outliers = values[(values < low) | (values > high)]
        if len(outliers):
            columns = np.unique(np.rint(COLUMNS * x.all(outliers)).astype(int))
            marks = "".join(f"M{column} {number(top + 8)}v10" for column in columns)
            parts.append(stretched(element("path", d=marks, class_=f"outliers {class_of(name)}"), 0, height))
        said.append(
            f"{name}: half of the values from {figure(q1, unit)} to {figure(q3, unit)}, median {figure(q2, unit)}, "
            f"{len(outliers)} outlier{'' if len(outliers) == 1 else 's'}"
        )
    return element("svg", *parts, class_="chart", width="100%", height=height, role="img", aria_label="; ".join(said))


def _five(values: Values) -> tuple[float, float, float, float, float]:
    """Whisker, quartile, median, quartile, whisker."""
    q1, q2, q3 = (float(one) for one in np.quantile(values, [0.25, 0.5, 0.75]))
    inside = values[(values >= q1 - _FENCE * (q3 - q1)) & (values <= q3 + _FENCE * (q3 - q1))]
    return (float(inside.min()), q1, q2, q3, float(inside.max())) if len(inside) else (q2, q1, q2, q3, q2)


def _box(x: Scale, name: str, top: float, five: tuple[float, ...]) -> list[str]:
    low, q1, q2, q3, high = five
    middle, upper = top + _ROW / 2, top + (_ROW - _BOX) / 2
    width = (float(at(x, q3)[:-1]) - float(at(x, q1)[:-1])) / 100
    return [
        element("line", x1=at(x, low), x2=at(x, high), y1=middle, y2=middle, class_=f"whisker {class_of(name)}"),
        element(
            "rect", x=at(x, q1), width=percent(max(width, 0.001)), y=upper, height=_BOX, class_=f"box {class_of(name)}"
        ),
        element("line", x1=at(x, q2), x2=at(x, q2), y1=upper - 2, y2=upper + _BOX + 2, class_="median"),
    ]
