"""From an effect to a verdict in a word, and how many more rounds would give one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..measure.correction import benjamini_hochberg, holm
from ..measure.effect import Effect
from ..measure.permutation import DRAWS
from .schema import Better

Direction = Literal["better", "worse", "higher", "lower"]
Word = Literal["better", "worse", "higher", "lower", "same", "cannot tell", "insufficient"]
LEVEL = 0.05
MORE_MOST = 1000
"""More rounds than these are not asked for: the sides differ by just about the minimum effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """``p`` is the corrected one; ``more_rounds`` is how many would tell, if more than is sensible ``None``."""

    word: Word
    p: float
    more_rounds: int | None = None


def judge(
    effects: Sequence[tuple[Effect, Better]], *, minimum_effect: float, headlines: bool
) -> list[Judgement]:  # fmt: skip
    """Of B against A, each of the family ``effects``; ``minimum_effect`` is a share, such as 0.05.

    Headlines are corrected by Holm's method (no false finding at all), others by Benjamini and Hochberg's. Differs
    when p < 0.05 and the whole interval lies beyond the minimum effect; the same when all of it lies within.
    """
    correct = holm if headlines else benjamini_hochberg
    corrected = correct([effect.p for effect, _ in effects])
    factors = [after / effect.p for after, (effect, _) in zip(corrected, effects, strict=True)]
    return [
        _judge(effect, better, p, minimum_effect, factor)
        for (effect, better), p, factor in zip(effects, corrected, factors, strict=True)
    ]


def _judge(effect: Effect, better: Better, p: float, minimum_effect: float, factor: float) -> Judgement:
    low, high = effect.shift_low, effect.shift_high
    limit = math.log1p(minimum_effect) if effect.scale == "ratio" else minimum_effect * abs(effect.a)
    if low is None or high is None:
        return Judgement(word="cannot tell", p=p, more_rounds=_until_significant(effect, factor))
    if -limit <= low and high <= limit:
        return Judgement(word="same", p=p)
    if p < LEVEL and (low > limit or high < -limit):
        return Judgement(word=direction(effect.shift, better), p=p)
    return Judgement(word="cannot tell", p=p, more_rounds=_more(effect, (high - low) / 2, limit, factor))


def direction(shift: float, better: Better) -> Direction:
    """Which of the four words a shift is, by the metric's direction."""
    if better == "none":
        return "higher" if shift > 0 else "lower"
    return "better" if (shift > 0) == (better == "higher") else "worse"


def _more(effect: Effect, half: float, limit: float, factor: float) -> int | None:
    """An interval narrows with the root of the number of rounds; it has to fit between the value and the limit."""
    rounds, room = min(effect.rounds), abs(abs(effect.shift) - limit)
    if not room or half / room > math.sqrt(1 + MORE_MOST / rounds):
        return None
    more = max(1, math.ceil(rounds * (half / room) ** 2) - rounds)
    if abs(effect.shift) <= limit:
        return more
    significant = _until_significant(effect, factor)
    return None if significant is None else max(more, significant)


def _until_significant(effect: Effect, factor: float) -> int | None:
    """How many more rounds until the least p that can be is below the level after correction; ``None``: never.

    The least p is 2 / 2^n of n pairs, 2 / (2n over n) of n rounds a side, and never below that of the random draws.
    """
    rounds = min(effect.rounds)
    for more in range(MORE_MOST + 1):
        n = rounds + more
        exponent = n if effect.paired else math.log2(math.comb(2 * n, n))
        least = max(2.0 ** (1 - exponent), 1 / (1 + DRAWS))
        if least * factor < LEVEL:
            return more
        if least <= 1 / (1 + DRAWS):
            return None
    return None
