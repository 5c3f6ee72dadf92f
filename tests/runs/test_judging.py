"""What a verdict says, and what it needs for that."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.measure.effect import Effect, paired_effect
from idcbench.runs.judging import Judgement, judge
from idcbench.runs.schema import Better


def effect(value: float, low: float | None, high: float | None, p: float = 0.001, rounds: int = 10) -> Effect:
    logs = [None if edge is None else math.log(edge) for edge in (low, high)]
    return Effect(
        a=1.0, b=value, rounds=(rounds, rounds), paired=True, scale="ratio", shift=math.log(value), shift_low=logs[0],
        shift_high=logs[1], p=p,
    )  # fmt: skip


def difference(a: float, b: float, spread: float, p: float = 0.002) -> Effect:
    return Effect(
        a=a, b=b, rounds=(10, 10), paired=True, scale="difference", shift=b - a, shift_low=b - a - spread,
        shift_high=b - a + spread, p=p,
    )  # fmt: skip


def judged(one: Effect, better: Better = "lower", minimum_effect: float = 0.1) -> Judgement:
    return judge([(one, better)], minimum_effect=minimum_effect, headlines=True)[0]


@pytest.mark.parametrize(
    ("one", "better", "word"),
    [
        (effect(1.5, 1.2, 1.9), "lower", "worse"),
        (effect(1.5, 1.2, 1.9), "higher", "better"),
        (effect(1.5, 1.2, 1.9), "none", "higher"),
        (effect(0.5, 0.4, 0.7), "lower", "better"),
        (effect(0.5, 0.4, 0.7), "none", "lower"),
        (effect(1.5, 1.05, 2.0), "lower", "cannot tell"),
        (effect(1.5, 1.2, 1.9, p=0.06), "lower", "cannot tell"),
        (effect(1.02, 0.95, 1.09), "lower", "same"),
        (effect(1.02, 0.91, 1.09), "lower", "same"),
        (effect(1.02, 0.90, 1.09), "lower", "cannot tell"),
        (effect(1.02, 0.95, 1.09, p=0.9), "lower", "same"),
        (effect(3.0, None, None), "lower", "cannot tell"),
    ],
)
def test_words(one: Effect, better: Better, word: str) -> None:
    assert judged(one, better).word == word


def test_differences_are_judged_by_what_a_is() -> None:
    assert judged(difference(0, 2000, 100)).word == "worse"
    assert judged(difference(0, 0, 0, p=1.0)).word == "same"
    assert judged(difference(100, 180, 5), minimum_effect=0.5).word == "worse"
    assert judged(difference(100, 140, 5), minimum_effect=0.5).word == "same"
    assert judged(difference(2000, 0, 100)).word == "better"


def test_among_many_a_single_one_has_to_be_surer() -> None:
    one = (effect(1.5, 1.2, 1.9, p=0.02), "lower")
    others = [(effect(1.0, 0.99, 1.01, p=0.9), "lower")] * 9
    alone, among = (judge([one, *rest], minimum_effect=0.1, headlines=True)[0] for rest in ([], others))  # type: ignore[list-item]
    assert (alone.word, among.word) == ("worse", "cannot tell")
    assert among.p == pytest.approx(0.2)


def test_as_many_more_rounds_as_it_says_would_tell() -> None:
    """The interval that so many rounds would have is beyond the limit, or within it."""
    for one in (effect(1.5, 1.05, 1.5**2 / 1.05), effect(1.01, 0.85, 1.01**2 / 0.85)):
        more = judged(one).more_rounds
        assert more is not None
        assert one.low is not None
        half = (math.log(one.value) - math.log(one.low)) * math.sqrt(10 / (10 + more))
        low, high = math.log(one.value) - half, math.log(one.value) + half
        limit = math.log(1.1)
        assert low >= limit - 1e-9 or (low >= -limit and high <= limit + 1e-9)
    assert judged(effect(1.1, 1.0, 1.21)).more_rounds is None  # just the minimum effect: never


def test_what_no_number_of_rounds_can_make_significant_gets_no_number() -> None:
    """The least p of random permutations, times 1,100 comparisons, stays above the level."""
    among = [(effect(1.5, 1.2, 1.9, p=1 / 20_001), "lower"), *[(effect(1.0, 0.9, 1.1, p=1.0), "lower")] * 1100]
    found = judge(among, minimum_effect=0.05, headlines=True)[0]  # type: ignore[arg-type]
    assert (found.word, found.more_rounds) == ("cannot tell", None)


def test_few_rounds_cannot_be_significant_and_it_says_how_many_can() -> None:
    few = effect(3.0, None, None, p=0.25, rounds=3)
    assert judged(few).more_rounds == 3  # 2 / 2**6 < 0.05
    alone = dataclasses.replace(few, paired=False)
    assert judged(alone).more_rounds == 1  # 2 / (8 over 4) = 0.029
    draw = np.random.default_rng(1)
    a = [draw.lognormal(0, 0.01, size=1) for _ in range(6)]
    b = [draw.lognormal(1, 0.01, size=1) for _ in range(6)]
    assert judged(paired_effect(a, b, q=0.5)).word == "worse"


@given(st.floats(0.2, 5), st.floats(0, 1), st.floats(0, 1), st.floats(1e-5, 1))
def test_turned_over_it_says_the_opposite(value: float, below: float, above: float, p: float) -> None:
    one = effect(value, value * math.exp(-below), value * math.exp(above), p)
    assert one.low is not None
    assert one.high is not None
    two = effect(1 / value, 1 / one.high, 1 / one.low, p)
    opposite = {"better": "worse", "worse": "better"}
    first, second = judged(one), judged(two)
    if not any(math.isclose(abs(math.log(edge)), math.log(1.1), rel_tol=1e-9) for edge in (one.low, one.high)):
        assert second.word == opposite.get(first.word, first.word)
