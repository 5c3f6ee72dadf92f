"""From an effect to a verdict in a word, and how many more rounds would give one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..measure.correction import benjamini_hochberg, holm
from ..measure.effect import Effect
from .schema import Better

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
    middle, low, high, limit = _on_a_line(effect, minimum_effect)
    if low is None or high is None:
        return Judgement(word="cannot tell", p=p, more_rounds=_until_significant(effect, factor))
    if -limit <= low and high <= limit:
        return Judgement(word="same", p=p)
    if p < LEVEL and (low > limit or high < -limit):
        return Judgement(word=_direction(middle, better), p=p)
    return Judgement(word="cannot tell", p=p, more_rounds=_more(effect, middle, (high - low) / 2, limit, factor))


def _on_a_line(effect: Effect, minimum_effect: float) -> tuple[float, float | None, float | None, float]:
    """Value, interval, and the minimum effect where 0 is no difference and both directions are alike."""
    if effect.scale == "ratio":
        low = math.log(effect.low) if effect.low is not None else None
        high = math.log(effect.high) if effect.high is not None else None
        return math.log(effect.value), low, high, math.log1p(minimum_effect)
    return effect.value, effect.low, effect.high, minimum_effect * max(abs(effect.a), abs(effect.b))


def _direction(middle: float, better: Better) -> Word:
    if better == "none":
        return "higher" if middle > 0 else "lower"
    return "better" if (middle > 0) == (better == "higher") else "worse"


def _more(effect: Effect, middle: float, half: float, limit: float, factor: float) -> int | None:
    """An interval narrows with the root of the number of rounds; it has to fit between the value and the limit."""
    rounds, room = min(effect.rounds), abs(abs(middle) - limit)
    if not room:
        return None
    wanted = math.ceil(rounds * (half / room) ** 2)
    if abs(middle) > limit:
        wanted = max(wanted, rounds + (_until_significant(effect, factor) or 0))
    return max(1, wanted - rounds) if wanted - rounds <= MORE_MOST else None


def _until_significant(effect: Effect, factor: float) -> int | None:
    """Rounds until the least p that pairs can have, 2 / 2^n, is below the level after correction."""
    least = math.ceil(1 + math.log2(max(factor, 1.0) / LEVEL))
    return max(1, least - min(effect.rounds)) if least > min(effect.rounds) else None
