"""Elements of SVG as text, and the scales that put values on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

Attribute = str | float | int | None


def element(name: str, *children: str, text: str | None = None, **attributes: Attribute) -> str:
    """One element. ``class_`` gives ``class``, other underscores give dashes; ``None`` leaves an attribute out."""
    written = "".join(
        f' {_attribute(key)}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(children) + (escape(text, quote=False) if text is not None else "")
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def number(value: float) -> str:
    """At most two decimals, no more digits than needed."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


def percent(fraction: float) -> str:
    """A share of the width, ``37.5%``: what makes a chart as wide as its place while its text stays readable."""
    return f"{number(fraction * 100)}%"


def _attribute(name: str) -> str:
    return {"class_": "class", "viewBox": "viewBox"}.get(name, name.replace("_", "-"))


@dataclass(frozen=True, slots=True)
class Linear:
    """Maps ``low`` … ``high`` to 0 … 1."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def all(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same for an array."""
        return (values - self.low) / (self.high - self.low)

    def ticks(self, about: int) -> list[float]:
        """Round values within the scale, about so many, at steps of 1, 2 or 5 times a power of ten."""
        rough = (self.high - self.low) / max(1, about)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [round(index * step, 10) + 0.0 for index in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """Maps ``low`` … ``high``, both above 0, to 0 … 1 by their logarithms; what lies outside goes to the edge."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        bounded = min(max(value, self.low), self.high)
        return math.log(bounded / self.low) / math.log(self.high / self.low)

    def all(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same for an array."""
        bounded = np.clip(values, self.low, self.high)
        return np.asarray(np.log(bounded / self.low) / math.log(self.high / self.low), dtype=np.float64)

    def decades(self) -> list[float]:
        """The powers of ten within the scale."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [10.0**power for power in range(first, last + 1)]
