"""Order statistics, with scipy as the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from idcbench.measure.statistics import SMALLEST_N, Ratio, Summary, median_interval, paired_ratio, summarize

VALUES = st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=1, max_size=400)


def rank_by_scipy(n: int) -> int:
    """The largest k with P(Binomial(n, 1/2) < k) <= 2.5 %."""
    k = int(stats.binom.ppf(0.025, n, 0.5))
    return k if stats.binom.cdf(k, n, 0.5) > 0.025 else k + 1


@given(VALUES)
def test_quantiles_agree_with_numpy_or_are_not_stated(values: list[float]) -> None:
    summary = summarize(values)
    for q, found in ((0.50, summary.p50), (0.95, summary.p95), (0.99, summary.p99)):
        if len(values) < SMALLEST_N[q]:
            assert found is None
        else:
            assert found == pytest.approx(float(np.quantile(values, q, method="linear")), rel=1e-12, abs=1e-12)
    assert (summary.n, summary.min, summary.max) == (len(values), min(values), max(values))


@pytest.mark.parametrize("n", [6, 7, 8, 9, 20, 25, 58, 59, 100, 299, 1_000, 10_001])
def test_median_interval_has_the_ranks_that_scipy_gives(n: int) -> None:
    k = rank_by_scipy(n)
    assert median_interval(np.arange(1.0, n + 1)) == (k, n + 1 - k)


@pytest.mark.parametrize("n", range(6))
def test_median_interval_needs_six_values(n: int) -> None:
    assert median_interval(np.arange(float(n))) is None


def test_median_interval_holds_the_median_as_often_as_promised() -> None:
    random = np.random.default_rng(7)
    hits = 0
    for _ in range(2000):
        low, high = median_interval(np.sort(random.lognormal(size=20))) or (2.0, 0.0)
        hits += low <= 1.0 <= high
    assert hits >= 0.94 * 2000


def test_nothing_measured_has_no_figures() -> None:
    assert summarize([]) == Summary(n=0, min=None, p50=None, p95=None, p99=None, max=None, ci95=None)


@pytest.mark.parametrize(("q", "n"), [(q, n) for q, n in SMALLEST_N.items() if q > 0.5])
def test_an_upper_quantile_is_stated_from_the_first_n_that_bounds_it(q: float, n: int) -> None:
    assert q**n <= 0.05 < q ** (n - 1)


def test_a_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        summarize([1.0, float("nan")])


def test_a_ratio_is_the_median_of_the_pairs() -> None:
    ratio = paired_ratio([2, 3, 8], [1, 1, 1])
    assert ratio == Ratio(n=3, median=3.0, low=None, high=None)
    assert paired_ratio([], []) is None


def test_the_interval_of_a_ratio_agrees_with_scipy() -> None:
    a, b = np.random.default_rng(1).lognormal(0.5, 0.3, 30), np.random.default_rng(2).lognormal(0, 0.3, 30)
    ratio = paired_ratio(a.tolist(), b.tolist())
    oracle = stats.bootstrap((a / b,), np.median, method="percentile", n_resamples=10_000, rng=3).confidence_interval
    assert ratio is not None
    assert ratio.low == pytest.approx(oracle.low, rel=0.05)
    assert ratio.high == pytest.approx(oracle.high, rel=0.05)


@pytest.mark.parametrize(("a", "b"), [([1.0], []), ([1.0], [0.0]), ([0.0], [1.0])])
def test_ratios_that_mean_nothing(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match=r"paired|above 0"):
        paired_ratio(a, b)
