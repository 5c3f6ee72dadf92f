"""How a measure grows with a size: medians on two logarithmic axes, with the power that fits them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from idcbench.runs.schema import Metric
from idcbench.runs.timeline import Event

from .axes import class_of
from .figures import figure
from .svg import Logarithmic, element, percent

_HEIGHT, _TOP, _BOTTOM, _LEFT, _RIGHT = 210.0, 10.0, 24.0, 12.0, 96.0


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """The event ``growth``: ``medians`` of ``metric`` at ``sizes`` of ``by``; grows as the ``exponent``-th power of it.

    ``low`` to ``high`` is the 95 % interval of the exponent, ``None`` where there are too few sizes.
    """

    metric: str
    by: str
    sizes: tuple[float, ...]
    medians: tuple[float, ...]
    exponent: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    labels: dict[str, str] = {}

    @property
    def points(self) -> list[tuple[float, float]]:
        """(size, median) of those that a logarithm knows."""
        pairs = zip(self.sizes, self.medians, strict=False)
        return [(size, value) for size, value in pairs if size > 0 and 0 < value < math.inf]

    @property
    def in_words(self) -> str:
        """``grows with nodes to the power 0.92 (0.85 to 0.99)``."""
        interval = f" ({self.low:.2f} to {self.high:.2f})" if self.low is not None and self.high is not None else ""
        return f"grows with {self.by} to the power {self.exponent:.2f}{interval}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """A growth with the unit and definition of its metric."""

    growth: Growth
    unit: str
    definition: str


def growths_of(events: Iterable[Event], metrics: Sequence[Metric]) -> Iterator[Growing]:
    """Every growth that a timeline tells; one that cannot be drawn is left out."""
    about: Mapping[str, Metric] = {metric.name: metric for metric in metrics}
    for event in events:
        if event["what"] != "growth":
            continue
        try:
            growth = msgspec.convert(event, type=Growth)
        except msgspec.ValidationError:
            continue
        if len(growth.points) > 1 and math.isfinite(growth.exponent):
            known = about.get(growth.metric)
            yield Growing(
                growth=growth,
                unit=growth.unit or (known.unit if known else "1"),
                definition=known.definition if known else "",
            )


def growth_chart(sides: Sequence[tuple[str, Growth]], *, unit: str) -> str:
    """The medians of each side as dots and its fitted line, all on the same axes."""
    points = [point for _, growth in sides for point in growth.points]
    x = _axis([size for size, _ in points])
    y = _axis([value for _, value in points])
    parts = [*_sizes(x, sorted({size for size, _ in points})), *_values(y, unit)]
    for letter, growth in sides:
        parts += _line(x, y, letter, growth)
    said = "; ".join(f"{letter}: {_in_figures(growth, unit)}" for letter, growth in sides)
    return element("svg", *parts, class_="chart", width="100%", height=_HEIGHT, role="img", aria_label=said)


def _axis(values: Sequence[float]) -> Logarithmic:
    low, high = min(values), max(values)
    return Logarithmic(low / 1.15, high * 1.15)


def _in_figures(growth: Growth, unit: str) -> str:
    told = ", ".join(f"{figure(value, unit)} at {figure(size, '1')}" for size, value in growth.points)
    return f"{told}; {growth.in_words}"


def _sizes(x: Logarithmic, sizes: Sequence[float]) -> list[str]:
    parts, former = [], -1.0
    for size in sizes:
        parts.append(element("line", x1=_x(x, size), x2=_x(x, size), y1=_TOP, y2=_HEIGHT - _BOTTOM, class_="grid"))
        if x(size) - former > 0.12:
            text = figure(size, "1")
            parts.append(element("text", text=text, x=_x(x, size), y=_HEIGHT - 7, class_="tick", text_anchor="middle"))
            former = x(size)
    return parts


def _values(y: Logarithmic, unit: str) -> list[str]:
    ticks = y.decades() if len(y.decades()) > 1 else [y.low * 1.15, y.high / 1.15]
    parts = []
    for tick in ticks:
        place = _y(y, tick)
        parts.append(element("line", x1=f"{_LEFT}%", x2=f"{_RIGHT}%", y1=place, y2=place, class_="grid"))
        parts.append(element("text", text=figure(tick, unit), x=0, y=place + 4, class_="tick"))
    return parts


def _line(x: Logarithmic, y: Logarithmic, letter: str, growth: Growth) -> list[str]:
    """The power through the middle of the points' logarithms."""
    points = growth.points
    middle_x = math.fsum(math.log(size) for size, _ in points) / len(points)
    middle_y = math.fsum(math.log(value) for _, value in points) / len(points)
    ends = [min(size for size, _ in points), max(size for size, _ in points)]
    fitted = [math.exp(min(middle_y + growth.exponent * (math.log(end) - middle_x), 700.0)) for end in ends]
    line = element(
        "line", x1=_x(x, ends[0]), x2=_x(x, ends[1]), y1=_y(y, fitted[0]), y2=_y(y, fitted[1]),
        class_=f"curve {class_of(letter)}",
    )  # fmt: skip
    return [
        line,
        *(
            element("circle", cx=_x(x, size), cy=_y(y, value), r=4, class_=f"box {class_of(letter)}")
            for size, value in points
        ),
    ]


def _x(x: Logarithmic, size: float) -> str:
    return percent((_LEFT + (_RIGHT - _LEFT) * x(size)) / 100)


def _y(y: Logarithmic, value: float) -> float:
    return _HEIGHT - _BOTTOM - y(value) * (_HEIGHT - _BOTTOM - _TOP)
