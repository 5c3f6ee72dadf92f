"""The highest rate that still meets an objective, found by trying: doubling, halving the rest, and a confirmation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

CONFIRMATIONS = 2
"""A rate has to meet the objective so often again before it is the answer: once may have been luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One try."""

    rate_per_s: float
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Highest:
    """``rate_per_s`` is ``None`` when even the lowest did not meet the objective; ``bounded`` when the highest did."""

    rate_per_s: float | None
    bounded: bool
    tried: tuple[Tried, ...]


def highest_rate(
    meets: Callable[[float], bool], *, lowest_per_s: float, most_per_s: float, tolerance: float = 0.05
) -> Highest:
    """Try rates from ``lowest_per_s`` to ``most_per_s`` until the answer is known to a share of ``tolerance``.

    The rate is doubled until the objective is missed; then the middle, by the logarithm, of what was met and what was
    missed is tried. The answer is confirmed; one that fails then counts as missed, and the search goes on below it.
    Ends: each confirmation that fails lowers what is missed by the tolerance at least.
    """
    if not 0 < lowest_per_s <= most_per_s or not 0 < tolerance < 1:
        raise ValueError(f"0 < lowest <= most and a tolerance below 1 are wanted; found {lowest_per_s}, {most_per_s}")
    tried: list[Tried] = []

    def met(rate_per_s: float) -> bool:
        tried.append(Tried(rate_per_s=rate_per_s, met=meets(rate_per_s)))
        return tried[-1].met

    missed, good = math.inf, 0.0
    while True:
        while missed > good * (1 + tolerance) and good < most_per_s:
            rate = _next(good, missed, lowest_per_s, most_per_s)
            if met(rate):
                good = rate
            else:
                missed = rate
            if missed <= lowest_per_s:
                return Highest(rate_per_s=None, bounded=False, tried=tuple(tried))
        if all(met(good) for _ in range(CONFIRMATIONS)):
            return Highest(rate_per_s=good, bounded=good >= most_per_s, tried=tuple(tried))
        missed, good = good, 0.0


def _next(good: float, missed: float, lowest: float, most: float) -> float:
    if not good:
        return lowest if missed == math.inf else max(lowest, missed / 2)
    return min(most, 2 * good) if missed == math.inf else math.sqrt(good * missed)
