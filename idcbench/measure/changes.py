"""Where the level of a series of values changed for good: change points, each with how sure it is.

The statistic is the largest standardised rank sum over all places at which a series can be cut (Sen and Srivastava
1975; Pettitt 1979): ranks, so that one wild value is no change. Its p comes from permutations, so that it holds for
any distribution, and each side of a change is looked through again (binary segmentation, Vostrikova 1981), as Apache
Otava and MongoDB's E-divisive do. What it takes for granted is that values without a change are exchangeable: a
series that drifts slowly, or whose neighbours are alike, looks like one with changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .statistics import Values

LEVEL = 0.01
"""The chance that a series without any change shows one. A history has many series, hence not 5 %."""
DRAWS = 1999
SHORTEST = 3
"""Values on either side of a change; fewer are outliers rather than a level."""
LEAST = 10
"""Of fewer values no order can have a p below :data:`LEVEL`: 2 / (9 over 4) = 0.016, 2 / (10 over 5) = 0.008."""
_AT_ONCE = 1 << 20
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Change:
    """``index`` is the first value of the new level; ``p`` that of so clear a change in values without any."""

    index: int
    p: float


def find_changes(values: Values, *, seed: int = 0) -> tuple[Change, ...]:
    """The change points of ``values``, which are in the order of time, by index; the same for the same values.

    Raises ``ValueError`` for NaN and infinity.
    """
    if not np.isfinite(values).all():
        raise ValueError("a NaN, or infinity, is not a measured value")
    return tuple(_within(values, 0, np.random.default_rng(seed)))


def _within(values: Values, offset: int, draw: np.random.Generator) -> list[Change]:
    """Those of one stretch, and of what lies on both sides of its clearest."""
    if len(values) < LEAST or (values == values[0]).all():
        return []
    ranks = _ranks(values)
    seen = _largest(ranks[None, :])
    p = _probability(ranks, float(seen[1][0]), draw)
    if p >= LEVEL:
        return []
    cut = int(seen[0][0])
    return [
        *_within(values[:cut], offset, draw),
        Change(index=offset + cut, p=p),
        *_within(values[cut:], offset + cut, draw),
    ]


def _largest(ranks: Values) -> tuple[npt.NDArray[np.int64], Values]:
    """Of each row of centred ranks where its cut is clearest, and the standardised rank sum there."""
    n = ranks.shape[1]
    cuts = np.arange(SHORTEST, n - SHORTEST + 1)
    sums = np.abs(np.cumsum(ranks, axis=1)[:, cuts - 1]) / np.sqrt(cuts * (n - cuts))
    best = sums.argmax(axis=1)
    return cuts[best], sums[np.arange(len(sums)), best]


def _probability(ranks: Values, seen: float, draw: np.random.Generator) -> float:
    """Of a cut at least as clear in another order; the one seen counts among them (Phipson and Smyth 2010).

    Ends early where p cannot come below the level any more (Besag and Clifford 1991).
    """
    as_clear, drawn = 0, 0
    rows = max(1, min(200, _AT_ONCE // len(ranks)))
    while drawn < DRAWS and as_clear < LEVEL * (1 + DRAWS):
        batch = min(rows, DRAWS - drawn)
        orders = draw.permuted(np.tile(ranks, (batch, 1)), axis=1)
        as_clear += int((_largest(orders)[1] >= seen * (1 - _TIE)).sum())
        drawn += batch
    return (1 + as_clear) / (1 + drawn)


def _ranks(values: Values) -> Values:
    """Centred; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle = ends - (counts - 1) / 2
    return np.asarray(middle[place] - (len(values) + 1) / 2, dtype=np.float64)
