"""When requests of an open load start: times that are planned before the first is sent, in ns from the beginning."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
"""Ascending."""


def constant(rate_per_s: float, duration_s: float) -> Times:
    """Evenly spaced, the first at 0."""
    _check(duration_s, rate_per_s)
    return np.rint(np.arange(math.ceil(rate_per_s * duration_s - 1e-9)) / rate_per_s * 1e9).astype(np.int64)


def poisson(rate_per_s: float, duration_s: float, *, seed: int) -> Times:
    """Independent of each other: what many users who know nothing of one another make."""
    _check(duration_s, rate_per_s)
    return _random(lambda at_s: at_s * rate_per_s, lambda done: done / rate_per_s, duration_s, seed)


def ramp(from_per_s: float, to_per_s: float, duration_s: float) -> Times:
    """The rate goes evenly from one to the other: request k starts when the integral of the rate has come to k."""
    _check(duration_s, from_per_s, to_per_s)
    slope = (to_per_s - from_per_s) / duration_s
    total = (from_per_s + to_per_s) / 2 * duration_s
    done = np.arange(math.ceil(total - 1e-9), dtype=np.float64)
    if abs(slope) < 1e-12:
        return constant(from_per_s, duration_s)
    # from·t + slope·t²/2 = k, in the form that loses no digits where the slope is small
    at_s = 2 * done / (from_per_s + np.sqrt(np.maximum(from_per_s**2 + 2 * slope * done, 0.0)) + 1e-300)
    return np.rint(at_s * 1e9).astype(np.int64)


def diurnal(
    low_per_s: float, high_per_s: float, duration_s: float, *, period_s: float, seed: int
) -> Times:  # fmt: skip
    """Random, with a rate that swings as a day's does: lowest at the start of each period, highest in its middle."""
    _check(duration_s, low_per_s, high_per_s)
    if period_s <= 0 or high_per_s < low_per_s:
        raise ValueError(f"a period above 0 and a low below the high are wanted; found {period_s} s, {low_per_s}/s")
    middle, swing = (low_per_s + high_per_s) / 2, (high_per_s - low_per_s) / 2
    turn = 2 * math.pi / period_s

    def integral(at_s: float) -> float:
        return middle * at_s - swing / turn * math.sin(turn * at_s)

    grid_s = np.linspace(0.0, duration_s, max(1000, math.ceil(duration_s / period_s * 1000)))
    known = middle * grid_s - swing / turn * np.sin(turn * grid_s)
    return _random(integral, lambda done: np.interp(done, known, grid_s), duration_s, seed)


def replay(times_s: npt.ArrayLike, *, faster: float = 1.0) -> Times:
    """As they were, from the first on. Raises ``ValueError`` for a time that is none or lies before the one above."""
    given = np.asarray(times_s, dtype=np.float64)
    if given.ndim != 1 or not np.isfinite(given).all() or not 0 < faster < math.inf:
        raise ValueError("a list of finite times and a speed above 0 are wanted")
    if not len(given):
        return np.empty(0, dtype=np.int64)
    if (steps := np.diff(given)).size and steps.min() < 0:
        at = int(np.argmax(steps < 0)) + 1
        raise ValueError(f"time {at + 1} ({given[at]:g} s) lies before the one above it ({given[at - 1]:g} s)")
    offsets_ns: Times = np.rint((given - given[0]) / faster * 1e9).astype(np.int64)
    return offsets_ns


def _random(
    integral: Callable[[float], float],
    when: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    duration_s: float,
    seed: int,
) -> Times:
    """A Poisson process whose expected count by ``t`` is ``integral(t)``, by changing the clock of one of rate 1.

    ``when`` is the inverse of ``integral`` (Cinlar, Introduction to Stochastic Processes, 4.7): given their number,
    the times of that process are uniform.
    """
    draw = np.random.default_rng(seed)
    expected = integral(duration_s)
    done = np.sort(draw.uniform(0.0, expected, size=draw.poisson(expected)))
    return np.rint(when(done) * 1e9).astype(np.int64)


def _check(duration_s: float, *rates_per_s: float) -> None:
    if not (math.isfinite(duration_s) and duration_s > 0):
        raise ValueError(f"a duration above 0 is wanted; found {duration_s} s")
    for rate in rates_per_s:
        if not (math.isfinite(rate) and rate >= 0) or not any(rates_per_s):
            raise ValueError(f"a rate above 0 is wanted; found {rate}/s")
