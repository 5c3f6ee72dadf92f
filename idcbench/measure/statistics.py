"""Figures of a sample: order statistics that promise nothing which the number of values cannot carry."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
SMALLEST_N = {0.50: 1, 0.95: 59, 0.99: 299}
"""From how many values on a quantile q is stated. For the upper ones it is the first n with q**n <= 1 - CONFIDENCE:
only then is the largest value an upper 95 % bound of the quantile (Wilks 1941). The median is always stated, as it
comes with its interval."""
Values = npt.NDArray[np.float64]
RESAMPLES = 10_000
BOOTSTRAP_LEAST = 5
"""Below so many pairs a bootstrap of the median says no more than the smallest and the largest ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """``n`` values in figures, in their own unit. What the number of values cannot carry is ``None``, never 0."""

    n: int
    min: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    ci95: tuple[float, float] | None


def summarize(values: Iterable[float] | npt.NDArray[np.float64]) -> Summary:
    """Sort ``values`` once and read every figure off them. Raises ``ValueError`` for NaN and infinity."""
    ordered = np.sort(np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=np.float64))
    if not np.isfinite(ordered).all():
        raise ValueError("a NaN, or infinity, is not a measured value")
    n = len(ordered)
    return Summary(
        n=n,
        min=float(ordered[0]) if n else None,
        p50=quantile(ordered, 0.50),
        p95=quantile(ordered, 0.95),
        p99=quantile(ordered, 0.99),
        max=float(ordered[-1]) if n else None,
        ci95=median_interval(ordered),
    )


def quantile(ordered: npt.NDArray[np.float64], q: float) -> float | None:
    """The quantile ``q`` of ascending values, linear between neighbours (Hyndman and Fan's type 7).

    ``None`` when there are fewer than :data:`SMALLEST_N` values; raises ``KeyError`` for a ``q`` not listed there.
    """
    if len(ordered) < SMALLEST_N[q]:
        return None
    position = (len(ordered) - 1) * q
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    low, high = float(ordered[below]), float(ordered[above])
    return low if low == high else low + (high - low) * (position - below)


def median_interval(ordered: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    """The interval that holds the true median with at least 95 % confidence, whatever the distribution.

    It runs from the k-th smallest to the k-th largest value with the largest k for which
    P(Binomial(n, 1/2) < k) <= 2.5 % (David and Nagaraja, Order Statistics, 7.1). ``None`` below 6 values, where no
    such k exists.
    """
    n = len(ordered)
    k = _interval_rank(n)
    return (float(ordered[k - 1]), float(ordered[n - k])) if k else None


def _interval_rank(n: int) -> int:
    """The largest k with P(Binomial(n, 1/2) < k) <= (1 - CONFIDENCE) / 2, or 0; walks down from the middle."""
    tail = (1 - CONFIDENCE) / 2
    k = n // 2
    probability = math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2))
    below = 0.5 - probability if n % 2 else 0.5 - probability / 2  # P(X < k), by the symmetry of the distribution
    while k and below > tail:
        k -= 1
        probability *= (k + 1) / (n - k)  # P(X = k) from P(X = k + 1)
        below -= probability
    return k


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times ``b`` goes into ``a``, over ``n`` pairs; ``low`` to ``high`` is the 95 % interval, if any."""

    n: int
    median: float
    low: float | None
    high: float | None


def paired_ratio(a: Sequence[float], b: Sequence[float], *, seed: int = 0) -> Ratio | None:
    """The median of the ratios ``a[i] / b[i]`` of rounds that belong together, with a bootstrap interval.

    The percentile interval of the median over :data:`RESAMPLES` samples of whole pairs, drawn with replacement
    (Efron and Tibshirani, An Introduction to the Bootstrap, 13.3). Without an interval below
    :data:`BOOTSTRAP_LEAST` pairs; ``None`` without any. Raises ``ValueError`` for lengths that differ and values
    that are not above 0.
    """
    ratios = _ratios(a, b)
    if not len(ratios):
        return None
    if len(ratios) < BOOTSTRAP_LEAST:
        return Ratio(n=len(ratios), median=float(np.median(ratios)), low=None, high=None)
    drawn = np.random.default_rng(seed).integers(len(ratios), size=(RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(ratios[drawn], axis=1), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Ratio(n=len(ratios), median=float(np.median(ratios)), low=float(low), high=float(high))


def _ratios(a: Sequence[float], b: Sequence[float]) -> npt.NDArray[np.float64]:
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values cannot be paired")
    above, below = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if not ((above > 0).all() and (below > 0).all()):
        raise ValueError("a ratio needs values above 0")
    return above / below
