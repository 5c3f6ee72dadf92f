"""The cumulative distribution of both sides' values, one curve each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from idcbench.measure.statistics import Values

from .figures import figure
from .svg import Linear, Logarithmic, element, percent

POINTS = 120
"""A curve has at most so many: more than its height in pixels can show apart."""
_HEIGHT, _TOP, _BOTTOM, _LEFT, _RIGHT = 200.0, 8.0, 24.0, 4.5, 97.0
_SPREAD = 20.0
"""Where the largest value is so many times the median, the axis is logarithmic."""


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


def ecdf(sides: Sequence[tuple[str, Values]], *, unit: str) -> str:
    """The curves of ``sides``, named A and B by their classes, as one chart with its text alternative."""
    drawn = [(name, values) for name, values in sides if len(values)]
    if not drawn:
        return ""
    both = np.concatenate([values for _, values in drawn])
    x = _scale(both)
    parts = [*_grid(x, unit)]
    for name, values in drawn:
        points = curve(values)
        path, former = [], 0.0
        for value, share in points:
            path.append(f"{_x(x, value):.2f},{_y(former):.1f} {_x(x, value):.2f},{_y(share):.1f}")
            former = share
        parts.append(
            element(
                "svg", element("polyline", points=" ".join(path), class_=f"curve side-{name.lower()}"),
                x="0", y="0", width="100%", height=_HEIGHT, viewBox=f"0 0 100 {_HEIGHT:g}", preserveAspectRatio="none",
            )
        )  # fmt: skip
    said = "; ".join(
        f"{name}: {len(values)} values from {figure(float(values.min()), unit)} to "
        f"{figure(float(values.max()), unit)}, median {figure(_median(values), unit)}"
        for name, values in drawn
    )
    return element("svg", *parts, class_="ecdf", width="100%", height=_HEIGHT, role="img", aria_label=said)


def _median(values: Values) -> float:
    """The lower one of two in the middle: their sum may be more than a number can hold."""
    return float(np.quantile(values, 0.5, method="lower"))


def _scale(values: Values) -> Linear | Logarithmic:
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > _SPREAD * _median(values):
        return Logarithmic(low, high)
    return Linear(min(low, 0.0) if high > 2 * (high - low) else low, high if high > low else low + 1.0)


def _grid(x: Linear | Logarithmic, unit: str) -> list[str]:
    ticks = x.decades() if isinstance(x, Logarithmic) else x.ticks(4)
    parts = []
    for tick in ticks:
        place = percent(_x(x, tick) / 100)
        parts.append(element("line", x1=place, x2=place, y1=_TOP, y2=_HEIGHT - _BOTTOM, class_="grid"))
        if 4 < _x(x, tick) < 93:
            text = figure(tick, unit)
            parts.append(element("text", text=text, x=place, y=_HEIGHT - 8, class_="tick", text_anchor="middle"))
    for share in (0.5, 0.99):
        parts.append(element("line", x1=f"{_LEFT}%", x2=f"{_RIGHT}%", y1=_y(share), y2=_y(share), class_="grid"))
        parts.append(element("text", text=f"p{share * 100:g}", x="0", y=_y(share) + 4, class_="tick"))
    return parts


def _x(x: Linear | Logarithmic, value: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * x(value)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)
