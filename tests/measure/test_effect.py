"""Effects of rounds: against brute force, against scipy, and where there is nothing to tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from idcbench.measure.correction import benjamini_hochberg, holm
from idcbench.measure.effect import NoEffectError, _quantiles, paired_effect, unpaired_effect
from idcbench.measure.permutation import exchange_p, sign_flip_p
from idcbench.measure.statistics import Values, quantile
from idcbench.measure.student import quantile_of_t


def rounds(seed: int, number: int, size: int = 400, factor: float = 1.0) -> list[Values]:
    draw = np.random.default_rng(seed)
    return [factor * draw.lognormal(1.0 + 0.05 * draw.normal(), 0.4, size=size) for _ in range(number)]


def test_the_quantile_of_a_resample_is_distributed_as_if_it_were_drawn() -> None:
    draw = np.random.default_rng(1)
    values = np.sort(draw.lognormal(size=307))
    by_hand = [quantile(np.sort(draw.choice(values, size=len(values))), 0.99) for _ in range(4000)]
    for q, slow in ((0.99, by_hand), (0.5, [np.median(draw.choice(values, size=len(values))) for _ in range(4000)])):
        fast = _quantiles(values, q, 4000, draw)
        assert stats.ks_2samp(fast, slow).pvalue > 1e-3, q


@pytest.mark.parametrize("size", [20, 400])
def test_the_interval_holds_the_truth_as_often_as_it_says(size: int) -> None:
    """Few rounds are the hard case; of few samples a median is drawn noisier than it is, which is on the safe side."""
    held = 0
    for seed in range(200):
        found = paired_effect(rounds(seed, 8, size), rounds(seed + 10_000, 8, size, factor=1.1), q=0.5)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 1.1 <= found.high
    assert 182 <= held <= (200 if size == 20 else 199)  # of 200 at 95 %: an honest one is beyond in 1 of 300 cases


def test_unpaired_rounds_may_differ_in_number() -> None:
    held = 0
    for seed in range(100):
        found = unpaired_effect(rounds(seed, 6), rounds(seed + 10_000, 9, factor=2.0), q=0.5)
        assert found.low is not None
        assert found.high is not None
        assert found.rounds == (6, 9)
        held += found.low <= 2.0 <= found.high
    assert held >= 89


def test_sides_that_differ_in_number_and_spread() -> None:
    """Welch's case: few rounds that spread widely, beside many that do not."""
    held, draw = 0, np.random.default_rng(5)
    for seed in range(300):
        a = [np.array([np.exp(0.3 * draw.normal())]) for _ in range(6)]
        b = [np.array([np.exp(0.1 * draw.normal())]) for _ in range(40)]
        found = unpaired_effect(a, b, q=0.5, seed=seed)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 1.0 <= found.high
    assert held >= 273  # of 300 at 95 %


def test_values_at_the_ends_of_what_a_number_can_be() -> None:
    tiny, huge = [np.array([1e-300])] * 8, [np.array([1e300])] * 8
    found = paired_effect(tiny, huge, q=0.5)
    assert found.value == float("inf")
    assert found.shift == pytest.approx(np.log(1e300) - np.log(1e-300))
    with pytest.raises(NoEffectError, match="too large to be compared"):
        paired_effect([np.array([-1.7e308])] * 8, [np.array([1.7e308])] * 8, q=0.5)


def test_a_single_value_is_no_p99_of_a_round_beside_one_that_has_many() -> None:
    with pytest.raises(NoEffectError, match="has 1 samples in a round, and a p99 needs 299"):
        unpaired_effect(rounds(1, 10, size=1), rounds(2, 10, size=500), q=0.99)


def test_sign_flips_agree_with_scipy() -> None:
    draw = np.random.default_rng(2)
    for n in (4, 9, 12):
        differences = draw.normal(0.3, 1.0, size=n)
        theirs = stats.permutation_test(
            (differences,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=np.inf,
            vectorized=True,
        ).pvalue  # fmt: skip
        assert sign_flip_p(differences, draw) == pytest.approx(theirs)
    many = draw.normal(0.15, 1.0, size=40)
    assert sign_flip_p(many, draw) == pytest.approx(stats.ttest_1samp(many, 0).pvalue, abs=0.02)


def test_exchanges_agree_with_scipy() -> None:
    draw = np.random.default_rng(3)
    a, b = draw.normal(size=6), draw.normal(0.8, size=8)
    theirs = stats.permutation_test(
        (a, b), lambda x, y, axis: np.abs(x.mean(axis=axis) - y.mean(axis=axis)), permutation_type="independent",
        alternative="greater", n_resamples=np.inf, vectorized=True,
    ).pvalue  # fmt: skip
    assert exchange_p(a, b, draw) == pytest.approx(theirs)
    a, b = draw.normal(size=20), draw.normal(0.5, size=20)
    assert exchange_p(a, b, draw) == pytest.approx(stats.ttest_ind(a, b).pvalue, abs=0.02)


@given(st.floats(0.001, 0.999), st.integers(1, 200))
def test_student_agrees_with_scipy(p: float, degrees: int) -> None:
    assert quantile_of_t(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), rel=1e-8, abs=1e-10)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_corrections_agree_with_scipy_and_keep_the_order(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(list(stats.false_discovery_control(p, method="bh")))
    adjusted = holm(p)
    assert all(one <= two or one == pytest.approx(two) for one, two in zip(p, adjusted, strict=True))
    assert min(adjusted) == pytest.approx(min(1.0, min(p) * len(p)))
    ranked = sorted(range(len(p)), key=lambda one: p[one])
    assert [adjusted[one] for one in ranked] == sorted(adjusted)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_the_same_rounds_do_not_differ() -> None:
    same = rounds(1, 10)
    found = paired_effect(same, same, q=0.99)
    assert found.value == 1.0
    assert found.p == 1.0
    constant = [np.full(300, 7.0)] * 6
    found = paired_effect(constant, constant, q=0.99)
    assert (found.low, found.high, found.p) == (1.0, 1.0, 1.0)
    assert unpaired_effect(constant, constant, q=0.5).p == 1.0


def test_few_rounds_give_no_interval() -> None:
    found = paired_effect(rounds(1, 4), rounds(2, 4), q=0.5)
    assert (found.low, found.high) == (None, None)
    assert paired_effect(rounds(1, 1, size=1), rounds(2, 1, size=1), q=0.99).rounds == (1, 1)


def test_where_there_is_no_ratio_values_are_subtracted() -> None:
    """An outage that one side does not have at all."""
    none, some = [np.array([0.0])] * 10, [np.array([2000.0 + each]) for each in range(10)]
    for found in (paired_effect(none, some, q=0.5), unpaired_effect(none, some, q=0.5)):
        assert (found.scale, found.a, found.b, found.value) == ("difference", 0.0, 2004.5, 2004.5)
        assert found.low is not None
        assert 2000 < found.low < 2004.5
    assert paired_effect(none, some, q=0.5).p == 2 / 1024
    assert paired_effect(none, none, q=0.5).p == 1.0


def test_swapping_the_sides_turns_the_ratio_over() -> None:
    a, b = rounds(1, 12), rounds(2, 12, factor=1.3)
    one, two = paired_effect(a, b, q=0.5), paired_effect(b, a, q=0.5)
    assert one.value == pytest.approx(1 / two.value)
    assert one.p == two.p
    assert one.low == pytest.approx(1 / (two.high or 0), rel=0.01)


@pytest.mark.parametrize(
    ("values", "q", "why"),
    [
        ([], 0.5, "has no samples"),
        ([[1.0], []], 0.5, "has no samples in one of its rounds"),
        ([[1.0, float("nan")]], 0.5, "holds NaN"),
        ([[1.0] * 298], 0.99, "has 298 samples in a round, and a p99 needs 299"),
        ([[float("inf")]], 0.5, "infinity"),
    ],
)
def test_what_cannot_be_compared_is_said(values: list[list[float]], q: float, why: str) -> None:
    side = [np.array(each, dtype=np.float64) for each in values]
    with pytest.raises(NoEffectError, match=why):
        paired_effect(side, side, q=q)
    with pytest.raises(NoEffectError, match=why):
        unpaired_effect(side, side, q=q)
