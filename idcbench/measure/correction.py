"""p of one comparison among many."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted so that the chance of any false finding among them stays below the level (Holm 1979), in their order."""
    ranked = sorted(range(len(p)), key=lambda one: p[one])
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, one in enumerate(ranked):
        largest = max(largest, min(1.0, p[one] * (len(p) - rank)))
        adjusted[one] = largest
    return adjusted


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted so that of the findings no larger share is false (Benjamini and Hochberg 1995), in their order."""
    ranked = sorted(range(len(p)), key=lambda one: p[one], reverse=True)
    adjusted, least = [0.0] * len(p), 1.0
    for rank, one in enumerate(ranked):
        least = min(least, p[one] * len(p) / (len(p) - rank))
        adjusted[one] = least
    return adjusted
