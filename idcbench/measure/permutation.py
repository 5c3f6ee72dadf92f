"""Permutation tests on rounds: exact where all permutations can be counted, else by random ones."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import numpy.typing as npt

from .statistics import Values

EXACT_MOST = 1 << 16
DRAWS = 20_000
AT_ONCE = 1 << 20
"""Values permuted in one go, so that many rounds do not fill the memory."""
_TIE = 1e-9
"""Means this much closer to 0, relatively, count as equally far: sums in another order differ in their last bits."""


def sign_flip_p(differences: Values, draw: np.random.Generator) -> float:
    """P of a mean at least so far from 0 when each difference might as well have had the other sign.

    All 2^n patterns of signs when there are at most :data:`EXACT_MOST`; otherwise :data:`DRAWS` random ones, with the
    one that was seen counted among them (Phipson and Smyth 2010: a p of 0 would be a lie).
    """
    n = len(differences)
    if n == 0 or not differences.any():
        return 1.0
    if 1 << n <= EXACT_MOST:
        patterns = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1
        return float(_as_far(np.abs((1 - 2 * patterns) @ differences), abs(differences.sum())).mean())
    signs = draw.choice(np.array([-1.0, 1.0]), size=(DRAWS, n))
    return float(1 + _as_far(np.abs(signs @ differences), abs(differences.sum())).sum()) / (1 + DRAWS)


def exchange_p(a: Values, b: Values, draw: np.random.Generator) -> float:
    """P of means at least so far apart when each value might as well be of the other side.

    All divisions when there are at most :data:`EXACT_MOST`, else random ones as in :func:`sign_flip_p`.
    """
    both = np.concatenate([a, b])
    if not len(a) or not len(b) or (both == both[0]).all():
        return 1.0
    seen, total = abs(a.mean() - b.mean()), both.sum()
    if math.comb(len(both), len(a)) <= EXACT_MOST:
        sums = np.array([both[list(chosen)].sum() for chosen in combinations(range(len(both)), len(a))])
    else:
        rows = max(1, AT_ONCE // len(both))
        chunks = [min(rows, DRAWS - begun) for begun in range(0, DRAWS, rows)]
        sums = np.concatenate(
            [draw.permuted(np.tile(both, (rows, 1)), axis=1)[:, : len(a)].sum(axis=1) for rows in chunks]
        )
    apart = _as_far(np.abs(sums / len(a) - (total - sums) / len(b)), seen)
    return float(apart.mean()) if len(sums) != DRAWS else float(1 + apart.sum()) / (1 + DRAWS)


def _as_far(distances: Values, seen: float) -> npt.NDArray[np.bool_]:
    return distances >= seen * (1 - _TIE)
