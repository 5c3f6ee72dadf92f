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
from .statistics import CONFIDENCE, SMALLEST_N, Values, quantile
from .student import quantile_of_t

RESAMPLES = 4_000
LARGEST_LOG = 709.78
"""Of a number that a float can hold."""
ROUNDS_LEAST = 5
"""Below so many rounds a bootstrap knows too little of how rounds vary, and no interval is given."""


class NoEffectError(ValueError):
    """The samples cannot be compared; the text says why, as the end of a sentence that begins with their name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How far B is from A, by the rounds' quantiles, of which ``a`` and ``b`` are the means (geometric for a ratio).

    ``shift`` is ``b - a``, of the logarithms for a ratio; ``shift_low`` to ``shift_high`` its 95 % interval, ``None``
    below :data:`ROUNDS_LEAST` rounds. ``p`` is the probability, were there no difference, of one at least so far.
    """

    a: float
    b: float
    rounds: tuple[int, int]
    paired: bool
    scale: Literal["ratio", "difference"]
    shift: float
    shift_low: float | None
    shift_high: float | None
    p: float

    @property
    def value(self) -> float:
        """``b / a``, or ``b - a`` when ``scale`` is ``difference``."""
        return self._back(self.shift)

    @property
    def low(self) -> float | None:
        return None if self.shift_low is None else self._back(self.shift_low)

    @property
    def high(self) -> float | None:
        return None if self.shift_high is None else self._back(self.shift_high)

    def _back(self, shift: float) -> float:
        return _Scale(self.scale).back(shift)


def paired_effect(a: Sequence[Values], b: Sequence[Values], *, q: float, seed: int = 0) -> Effect:
    """The effect where round ``i`` of A and of B were measured next to each other.

    p is that of the sign-flip permutation of the rounds' differences; the interval is that of :func:`_interval` over
    whole pairs. Raises :class:`NoEffectError`, and ``ValueError`` for lengths that differ.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} rounds cannot be paired")
    of_a, of_b, scale = _compared(a, b, q)
    draw = np.random.default_rng(seed)
    rounds = draw.integers(len(a), size=(RESAMPLES, len(a)))
    redrawn = _redrawn(b, q, rounds, scale, draw) - _redrawn(a, q, rounds, scale, draw)
    means = _means(of_b - of_a, rounds, redrawn)
    interval = _interval(float((of_b - of_a).mean()), means, degrees=len(a) - 1, rounds=len(a))
    return _effect(of_a, of_b, scale, interval, sign_flip_p(of_b - of_a, draw), paired=True)


def unpaired_effect(a: Sequence[Values], b: Sequence[Values], *, q: float, seed: int = 0) -> Effect:
    """The effect where the rounds of A and B have nothing to do with each other; they may differ in number.

    p is that of exchanging rounds between the sides; the interval has the degrees of freedom of Welch and
    Satterthwaite, as the sides may spread differently. Raises :class:`NoEffectError`.
    """
    of_a, of_b, scale = _compared(a, b, q)
    draw = np.random.default_rng(seed)
    means = []
    for side, found in ((a, of_a), (b, of_b)):
        rounds = draw.integers(len(side), size=(RESAMPLES, len(side)))
        means.append(_means(found, rounds, _redrawn(side, q, rounds, scale, draw)))
    interval = _interval(
        float(of_b.mean() - of_a.mean()), means[1] - means[0], degrees=_welch(of_a, of_b), rounds=min(len(a), len(b))
    )
    return _effect(of_a, of_b, scale, interval, exchange_p(of_a, of_b, draw), paired=False)


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
        if self is _Scale.DIFFERENCE:
            return value
        return math.exp(value) if value < LARGEST_LOG else math.inf


def _effect(
    of_a: Values, of_b: Values, scale: _Scale, interval: tuple[float, float] | None, p: float, *, paired: bool
) -> Effect:  # fmt: skip
    a, b = float(of_a.mean()), float(of_b.mean())
    low, high = interval if interval else (None, None)
    return Effect(
        a=scale.back(a),
        b=scale.back(b),
        rounds=(len(of_a), len(of_b)),
        paired=paired,
        scale=scale.value,
        shift=b - a,
        shift_low=low,
        shift_high=high,
        p=p,
    )


def _compared(a: Sequence[Values], b: Sequence[Values], q: float) -> tuple[Values, Values, _Scale]:
    """The quantile of each round of both sides, on the scale that suits all their values."""
    single = all(len(values) == 1 for side in (a, b) for values in side)
    found = [_found(side, q, single=single) for side in (a, b)]
    scale = _Scale.of(a, b)
    on_scale = [scale.into(values) for values in found]
    with np.errstate(over="ignore", invalid="ignore"):
        largest = max(float(np.square(values).sum()) for values in on_scale)
    if not math.isfinite(largest):
        raise NoEffectError("has values too large to be compared")
    return on_scale[0], on_scale[1], scale


def _found(rounds: Sequence[Values], q: float, *, single: bool) -> Values:
    """Each round's quantile; where all rounds are ``single`` measurements, that one value."""
    if not rounds:
        raise NoEffectError("has no samples")
    fewest = min(map(len, rounds))
    if not fewest:
        raise NoEffectError("has no samples in one of its rounds")
    if not all(np.isfinite(values).all() for values in rounds):
        raise NoEffectError("holds NaN or infinity, which are no measured values")
    if fewest < SMALLEST_N[q] and not single:
        raise NoEffectError(f"has {fewest} samples in a round, and a p{q * 100:g} needs {SMALLEST_N[q]}")
    return np.array([quantile(np.sort(values), 0.5 if single else q) for values in rounds])


def _means(found: Values, rounds: npt.NDArray[np.int64], redrawn: Values) -> Values:
    """Means of resamples in two stages: ``rounds`` chosen, of which ``found`` are the values, and each ``redrawn``.

    Rounds differ by what moves them and by the noise of their samples. The second stage adds that noise once more, so
    the first is shrunk until both together spread as the rounds do (Davison and Hinkley, Bootstrap Methods, 3.8). Then
    all is widened by sqrt(n / (n - 1)), as n rounds seem to spread less around their own mean than they do.
    """
    within = redrawn - found[rounds]
    spread, noise = float(found.var(ddof=1)) if len(found) > 1 else 0.0, float(within.var())
    shrunk = math.sqrt(max(0.0, 1 - noise / spread)) if spread else 0.0
    middle = found.mean()
    few = math.sqrt(len(found) / (len(found) - 1)) if len(found) > 1 else 1.0
    return np.asarray(middle + few * (shrunk * (found[rounds] - middle) + within).mean(axis=1))


def _redrawn(
    rounds: Sequence[Values], q: float, chosen: npt.NDArray[np.int64], scale: _Scale, draw: np.random.Generator
) -> Values:
    """Of each chosen round, the quantile, on the scale, of as many of its samples drawn anew: shape as ``chosen``.

    A quantile is an order statistic, or lies between two. That of n samples drawn with replacement is the
    ceil(n U)-th smallest, where U is the same order statistic of n uniform values, which is Beta(k, n + 1 - k); the
    next one divides what is left like the smallest of n - k (David and Nagaraja, Order Statistics, 2.2 and 2.5).
    """
    flat = chosen.ravel()
    order = np.argsort(flat, kind="stable")
    ends = np.cumsum(np.bincount(flat, minlength=len(rounds)))
    drawn = np.empty(len(flat))
    for number, values in enumerate(rounds):
        at = order[ends[number - 1] if number else 0 : ends[number]]
        drawn[at] = _quantiles(np.sort(values), q, len(at), draw)
    return scale.into(drawn.reshape(chosen.shape))


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


def _interval(middle: float, means: Values, *, degrees: int, rounds: int) -> tuple[float, float] | None:
    """The percentile interval, widened by what Student's quantile is above the normal's: n rounds tell their spread
    only so well (Hesterberg, What Teachers Should Know about the Bootstrap, 2015, 3.2)."""
    if rounds < ROUNDS_LEAST:
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    wider = quantile_of_t(1 - tail, degrees) / quantile_of_t(1 - tail, None)
    return middle + (float(low) - middle) * wider, middle + (float(high) - middle) * wider


def _welch(a: Values, b: Values) -> int:
    """Degrees of freedom of a difference of means (Satterthwaite 1946), rounded down."""
    if min(len(a), len(b)) < 2:
        return 1
    parts = [(float(side.var(ddof=1)) / len(side), len(side) - 1) for side in (a, b)]
    total = sum(share for share, _ in parts)
    if not total:
        return min(degrees for _, degrees in parts)
    return max(1, math.floor(total**2 / sum(share**2 / degrees for share, degrees in parts)))
