"""How much two sides differ: the round is the unit of replication, however many samples each has.

Requests of one round share its moment (what else the machine did, how warm the caches were), so they are no independent
evidence. Each round gives one quantile. Compared are their logarithms, so that twice and half weigh the same; or, where
a value is 0 or below, the quantiles themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
import numpy.typing as npt

from .permutation import exchange_p, sign_flip_p
from .statistics import CONFIDENCE, SMALLEST_N, quantile
from .student import quantile_of_t

RESAMPLES = 4_000
ROUNDS_LEAST = 5
"""Below so many rounds a bootstrap knows too little of how rounds vary, and no interval is given."""
Values = npt.NDArray[np.float64]


class NoEffectError(ValueError):
    """The samples cannot be compared; the text says why, as the end of a sentence that begins with their name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How far B is from A, by the rounds' quantiles, of which ``a`` and ``b`` are the means (geometric for a ratio).

    ``value`` is ``b / a``, or ``b - a`` when ``scale`` is ``difference``. ``low`` to ``high`` is its 95 % interval,
    ``None`` below :data:`ROUNDS_LEAST` rounds; ``p`` the probability, were there no difference, of one at least so far.
    """

    a: float
    b: float
    rounds: tuple[int, int]
    scale: Literal["ratio", "difference"]
    value: float
    low: float | None
    high: float | None
    p: float


def paired_effect(a: Sequence[Values], b: Sequence[Values], *, q: float, seed: int = 0) -> Effect:
    """The effect where round ``i`` of A and of B were measured next to each other.

    p is that of the sign-flip permutation of the rounds' differences; the interval is that of :func:`_interval` over
    whole pairs. Raises :class:`NoEffectError`, and ``ValueError`` for lengths that differ.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} rounds cannot be paired")
    scale = _Scale.of(a, b)
    of_a, of_b = _found(a, q, scale), _found(b, q, scale)
    draw = np.random.default_rng(seed)
    rounds = draw.integers(len(a), size=(RESAMPLES, len(a)))
    redrawn = _redrawn(b, q, rounds, scale, draw) - _redrawn(a, q, rounds, scale, draw)
    means = _means(of_b - of_a, rounds, redrawn)
    interval = _interval(float((of_b - of_a).mean()), means, len(a), degrees=len(a) - 1)
    return _effect(of_a, of_b, scale, interval, sign_flip_p(of_b - of_a, draw))


def unpaired_effect(a: Sequence[Values], b: Sequence[Values], *, q: float, seed: int = 0) -> Effect:
    """The effect where the rounds of A and B have nothing to do with each other; they may differ in number.

    p is that of exchanging rounds between the sides. Raises :class:`NoEffectError`.
    """
    scale = _Scale.of(a, b)
    of_a, of_b = _found(a, q, scale), _found(b, q, scale)
    draw = np.random.default_rng(seed)
    means = []
    for side, found in ((a, of_a), (b, of_b)):
        rounds = draw.integers(len(side), size=(RESAMPLES, len(side)))
        means.append(_means(found, rounds, _redrawn(side, q, rounds, scale, draw)))
    fewest = min(len(a), len(b))
    interval = _interval(float(of_b.mean() - of_a.mean()), means[1] - means[0], fewest, degrees=len(a) + len(b) - 2)
    return _effect(of_a, of_b, scale, interval, exchange_p(of_a, of_b, draw))


class _Scale(Enum):
    """The way into the scale on which sides are subtracted, and the way back."""

    RATIO = "ratio"
    DIFFERENCE = "difference"

    @classmethod
    def of(cls, *sides: Sequence[Values]) -> _Scale:
        return cls.RATIO if all((values > 0).all() for side in sides for values in side) else cls.DIFFERENCE

    def into(self, values: Values) -> Values:
        return np.asarray(np.log(values) if self is _Scale.RATIO else values)

    def back(self, value: float) -> float:
        return math.exp(value) if self is _Scale.RATIO else value


def _effect(of_a: Values, of_b: Values, scale: _Scale, interval: tuple[float, float] | None, p: float) -> Effect:
    low, high = (scale.back(edge) for edge in interval) if interval else (None, None)
    a, b = float(of_a.mean()), float(of_b.mean())
    return Effect(
        a=scale.back(a),
        b=scale.back(b),
        rounds=(len(of_a), len(of_b)),
        scale="ratio" if scale is _Scale.RATIO else "difference",
        value=scale.back(b - a),
        low=low,
        high=high,
        p=p,
    )


def _found(rounds: Sequence[Values], q: float, scale: _Scale) -> Values:
    """Each round's quantile, on the scale; the one value of a round that is a single measurement."""
    if not rounds:
        raise NoEffectError("has no samples")
    fewest, most = min(map(len, rounds)), max(map(len, rounds))
    if not fewest:
        raise NoEffectError("has no samples in one of its rounds")
    if not all(np.isfinite(values).all() for values in rounds):
        raise NoEffectError("holds NaN or infinity, which are no measured values")
    if fewest < SMALLEST_N[q] and most > 1:
        raise NoEffectError(f"has {fewest} samples in a round, and a p{q * 100:g} needs {SMALLEST_N[q]}")
    return scale.into(np.array([quantile(np.sort(values), q if most > 1 else 0.5) for values in rounds]))


def _means(found: Values, rounds: npt.NDArray[np.int64], redrawn: Values) -> Values:
    """Means of resamples in two stages: ``rounds`` chosen, of which ``found`` are the values, and each ``redrawn``.

    Rounds differ by what moves them and by the noise of their samples. The second stage adds that noise once more, so
    the first is shrunk until both together spread as the rounds do (Davison and Hinkley, Bootstrap Methods, 3.8).
    """
    within = redrawn - found[rounds]
    spread, noise = float(found.var(ddof=1)) if len(found) > 1 else 0.0, float(within.var())
    shrunk = math.sqrt(max(0.0, 1 - noise / spread)) if spread else 0.0
    middle = found.mean()
    return np.asarray(middle + (shrunk * (found[rounds] - middle) + within).mean(axis=1))


def _redrawn(
    rounds: Sequence[Values], q: float, chosen: npt.NDArray[np.int64], scale: _Scale, draw: np.random.Generator
) -> Values:
    """Of each chosen round, the quantile, on the scale, of as many of its samples drawn anew: shape as ``chosen``.

    A quantile is an order statistic, or lies between two. That of n samples drawn with replacement is the
    ceil(n U)-th smallest, where U is the same order statistic of n uniform values, which is Beta(k, n + 1 - k); the
    next one divides what is left like the smallest of n - k (David and Nagaraja, Order Statistics, 2.2 and 2.5).
    """
    drawn = np.empty(chosen.shape)
    for number, values in enumerate(rounds):
        at = np.nonzero(chosen == number)
        drawn[at] = _quantiles(np.sort(values), q, len(at[0]), draw)
    return scale.into(drawn)


def _quantiles(ordered: Values, q: float, count: int, draw: np.random.Generator) -> Values:
    n = len(ordered)
    if n == 1:
        return np.full(count, ordered[0])
    position = (n - 1) * q
    k = math.floor(position) + 1
    lower = draw.beta(k, n + 1 - k, size=count)
    upper = lower + (1 - lower) * draw.beta(1, n - k, size=count) if k < n else lower
    low, high = (ordered[np.minimum((n * u).astype(np.int64), n - 1)] for u in (lower, upper))
    return np.asarray(low + (high - low) * (position - (k - 1)))


def _interval(middle: float, means: Values, rounds: int, *, degrees: int) -> tuple[float, float] | None:
    """The percentile interval, widened for few rounds.

    The bootstrap takes the spread of n rounds for that of all, which is too narrow by sqrt((n - 1) / n) and by the
    normal's quantile in place of Student's (Hesterberg, What Teachers Should Know about the Bootstrap, 2015, 3.2).
    """
    if rounds < ROUNDS_LEAST:
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    wider = math.sqrt(rounds / (rounds - 1)) * quantile_of_t(1 - tail, degrees) / quantile_of_t(1 - tail, None)
    return middle + (float(low) - middle) * wider, middle + (float(high) - middle) * wider
