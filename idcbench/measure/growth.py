"""How a quantity grows with size: the exponent of a power law, fitted on log axes, with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .statistics import CONFIDENCE
from .student import quantile_of_t

LEAST_STEPS = 3
"""Through two points a line always goes: there would be nothing left to tell how sure its slope is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """``medians[i]`` was measured at ``sizes[i]`` and grows as size ** ``exponent``.

    ``low`` to ``high`` is the 95 % interval of the exponent: 0 is no growth, 1 in proportion, 2 with the square.
    """

    sizes: tuple[int, ...]
    medians: tuple[float, ...]
    exponent: float
    low: float
    high: float


def fit_growth(steps: Mapping[int, Sequence[float] | npt.NDArray[np.float64]]) -> Growth:
    """Fit ``log median = a + exponent · log size`` by least squares, over the medians of the values of each size.

    Each size counts once, however many values it has. The interval is slope ± t · its standard error with two degrees
    of freedom less than there are sizes (Draper and Smith, Applied Regression Analysis, 1.4). Raises ``ValueError``
    for fewer than :data:`LEAST_STEPS` sizes, and for sizes, or medians, that are not finite and above 0.
    """
    sizes = tuple(sorted(steps))
    medians = tuple(float(np.median(np.asarray(steps[size], dtype=np.float64))) if len(steps[size]) else math.nan
                    for size in sizes)  # fmt: skip
    if len(sizes) < LEAST_STEPS:
        raise ValueError(f"a growth is fitted over {LEAST_STEPS} sizes or more; there are {len(sizes)}: {sizes}")
    for size, median in zip(sizes, medians, strict=True):
        if not (size > 0 and math.isfinite(median) and median > 0):
            raise ValueError(f"growth has no logarithm at size {size}, where the median is {median}")
    exponent, error = _slope(np.log(sizes), np.log(medians))
    reach = quantile_of_t((1 + CONFIDENCE) / 2, len(sizes) - 2) * error
    return Growth(sizes=sizes, medians=medians, exponent=exponent, low=exponent - reach, high=exponent + reach)


def spread(first: int, last: int, *, steps: int) -> tuple[int, ...]:
    """So many sizes from ``first`` to ``last``, at equal distances on a log axis; fewer where rounding joins some."""
    if not 0 < first <= last or steps < 2:
        raise ValueError(f"sizes from 1 up and two steps or more are wanted; found {first} to {last} in {steps}")
    return tuple(sorted({round(each) for each in np.geomspace(first, last, steps)}))


def _slope(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The slope of the line of least squares and its standard error."""
    away = x - x.mean()
    scatter = float(away @ away)
    slope = float(away @ (y - y.mean())) / scatter
    left = y - y.mean() - slope * away
    return slope, math.sqrt(float(left @ left) / (len(x) - 2) / scatter)
