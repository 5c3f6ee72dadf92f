"""A metric over runs: as a line with its levels in SVG, and as a row of blocks for a terminal."""

from __future__ import annotations

from idcbench.runs.trends import Trend

from .figures import figure
from .svg import Linear, element, percent

BLOCKS = "▁▂▃▄▅▆▇█"
COLUMNS = 24
"""Runs that a row of blocks shows, the newest."""
_HEIGHT, _EDGE = 120.0, 10.0
_LEFT, _RIGHT = 9.0, 98.0


def blocks(values: list[float]) -> str:
    """The newest values as blocks between the least and the largest of them."""
    shown = values[-COLUMNS:]
    low, high = min(shown), max(shown)
    if high == low:
        return BLOCKS[3] * len(shown)
    return "".join(BLOCKS[round((value / 2 - low / 2) / (high / 2 - low / 2) * (len(BLOCKS) - 1))] for value in shown)


def trend_chart(trend: Trend) -> str:
    """Each run a dot, each level a line, each change point a stroke; its text alternative says the same in words."""
    values = [point.value for point in trend.points]
    low, high = min(values), max(values)
    y = Linear(low, high if high > low else low + (abs(low) or 1.0))
    x = Linear(-0.5, len(values) - 0.5)
    parts = [*_axis(y, low, high, trend.unit)]
    for shift in trend.shifts:
        place = _x(x, shift.index - 0.5)
        said = element("title", text=f"{shift.word} from {shift.after} on")
        parts.append(element("line", said, x1=place, x2=place, y1=0, y2=_HEIGHT, class_=f"act {shift.word}"))
    points = " ".join(f"{_share(x, at):.2f},{_y(y, value):.1f}" for at, value in enumerate(values))
    parts.append(
        element(
            "svg", element("polyline", points=points, class_="curve side-a"), x="0", y="0", width="100%",
            height=_HEIGHT, viewBox=f"0 0 100 {_HEIGHT:g}", preserveAspectRatio="none",
        )
    )  # fmt: skip
    for at, point in enumerate(trend.points):
        said = element("title", text=f"{point.run}: {figure(point.value, trend.unit)}")
        parts.append(element("circle", said, cx=_x(x, at), cy=_y(y, point.value), r=3, class_="dot"))
    return element(
        "svg", *parts, class_="cell trend", width="100%", height=_HEIGHT, role="img", aria_label=in_words(trend)
    )


def in_words(trend: Trend) -> str:
    """What the chart shows, for those who cannot see it."""
    values = [point.value for point in trend.points]
    said = f"{len(values)} runs from {figure(min(values), trend.unit)} to {figure(max(values), trend.unit)}"
    said += f", the newest {figure(values[-1], trend.unit)}"
    levels = [f"{shift.word} from {shift.after} on, {figure(shift.b, trend.unit)}" for shift in trend.shifts]
    return "; ".join([said, *levels]) if levels else f"{said}; no change point"


def _axis(y: Linear, low: float, high: float, unit: str) -> list[str]:
    parts = []
    for value in dict.fromkeys((high, low)):
        place = _y(y, value)
        parts.append(element("line", x1=f"{_LEFT}%", x2=f"{_RIGHT}%", y1=place, y2=place, class_="grid"))
        parts.append(element("text", text=figure(value, unit), x="0", y=place + 4, class_="tick"))
    return parts


def _share(x: Linear, at: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * x(at)


def _x(x: Linear, at: float) -> str:
    return percent(_share(x, at) / 100)


def _y(y: Linear, value: float) -> float:
    return _EDGE + (_HEIGHT - 2 * _EDGE) * (1 - y(value))
