"""The cumulative distribution of several sides' values, one curve each."""

from __future__ import annotations

import numpy as np

from idcbench.measure.statistics import Values

from .axes import COLUMNS, LEFT, RIGHT, Scale, Sides, class_of, grid, middle, scale_of, stretched
from .figures import figure
from .svg import element, number

POINTS = 120
"""A curve has at most so many: more than its height in pixels can show apart."""
_HEIGHT, _TOP, _BOTTOM = 200.0, 8.0, 24.0


def curve(values: Values) -> list[tuple[float, float]]:
    """(value, share at or below it): every value of a few, else quantiles that crowd towards the ends.

    The smallest and the largest value are always there.
    """
    ordered = np.sort(values)
    if len(ordered) <= POINTS:
        return [(float(value), (rank + 1) / len(ordered)) for rank, value in enumerate(ordered)]
    shares = (1 - np.cos(np.linspace(0, np.pi, POINTS))) / 2
    ranks = np.unique(np.rint(shares * (len(ordered) - 1)).astype(np.int64))
    return [(float(ordered[rank]), float((rank + 1) / len(ordered))) for rank in ranks]


def ecdf(sides: Sides, *, unit: str) -> str:
    """The curves of ``sides`` as one chart with its text alternative; empty when no side has a value."""
    drawn = [(name, values) for name, values in sides if len(values)]
    if not drawn:
        return ""
    x = scale_of(np.concatenate([values for _, values in drawn]))
    parts = [*grid(x, unit, top=_TOP, bottom=_HEIGHT - _BOTTOM), *_shares()]
    for name, values in drawn:
        path = element("path", d=_steps(x, curve(values)), class_=f"curve {class_of(name)}")
        parts.append(stretched(path, 0, _HEIGHT))
    said = "; ".join(
        f"{name}: {len(values)} value{'' if len(values) == 1 else 's'} from {figure(float(values.min()), unit)} to "
        f"{figure(float(values.max()), unit)}, median {figure(middle(values), unit)}"
        for name, values in drawn
    )
    return element("svg", *parts, class_="chart", width="100%", height=_HEIGHT, role="img", aria_label=said)


def _shares() -> list[str]:
    parts = []
    for share in (0.5, 0.99):
        parts.append(element("line", x1=f"{LEFT}%", x2=f"{RIGHT}%", y1=_y(share), y2=_y(share), class_="grid"))
        parts.append(element("text", text=f"p{share * 100:g}", x="0", y=_y(share) + 4, class_="tick"))
    return parts


def _steps(x: Scale, points: list[tuple[float, float]]) -> str:
    """A stair from the axis up, in steps to a tenth of a column and of a pixel."""
    at_x, at_y = round(COLUMNS * x(points[0][0]), 1), round(_y(0.0), 1)
    path = [f"M{number(at_x)} {number(at_y)}"]
    for value, share in points:
        next_x, next_y = round(COLUMNS * x(value), 1), round(_y(share), 1)
        path.append(f"{_move('h', next_x - at_x)}{_move('v', next_y - at_y)}")
        at_x, at_y = next_x, next_y
    return "".join(path)


def _move(letter: str, by: float) -> str:
    return f"{letter}{number(round(by, 1))}" if abs(by) > 0.04 else ""


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)
