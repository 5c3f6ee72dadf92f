"""Quantiles of Student's distribution, without scipy."""

from __future__ import annotations

import math
from statistics import NormalDist


def quantile_of_t(p: float, degrees: int | None) -> float:
    """The ``p``-quantile with that many degrees of freedom; ``None`` is the normal distribution's.

    Halves the interval that holds it, on the distribution function in closed form (Abramowitz and Stegun, 26.7.3 and
    26.7.4). Raises ``ValueError`` unless 0 < p < 1 and there is a degree of freedom.
    """
    if degrees is None:
        return NormalDist().inv_cdf(p)
    if degrees < 1:
        raise ValueError(f"{degrees} degrees of freedom")
    if p < 0.5:
        return -quantile_of_t(1 - p, degrees)
    low, high = 0.0, 1.0
    while _cdf(high, degrees) < p:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _cdf(middle, degrees) < p else (low, middle)
    return (low + high) / 2


def _cdf(t: float, degrees: int) -> float:
    """P(T <= t) for t >= 0."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    odd = degrees % 2
    term, total = 1.0, 0.0
    for step in range(odd, degrees - 1, 2):
        total += term
        term *= cosine * cosine * (step + 1) / (step + 2)
    if odd:
        return 0.5 + (angle + math.sin(angle) * cosine * total) / math.pi
    return 0.5 + math.sin(angle) * total / 2
