"""Planned times: as many as the rate says, where it says, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from idcbench.measure.arrivals import Times, constant, diurnal, poisson, ramp, replay

rates = st.floats(0.5, 2000)
durations = st.floats(0.1, 30)


def within(times: Times, duration_s: float) -> bool:
    return bool((np.diff(times) >= 0).all()) and (not len(times) or 0 <= times[0] <= times[-1] <= duration_s * 1e9 + 1)


@given(rates, durations)
def test_constant(rate: float, duration_s: float) -> None:
    times = constant(rate, duration_s)
    assert within(times, duration_s)
    assert abs(len(times) - rate * duration_s) <= 1
    assert (np.abs(np.diff(times) - 1e9 / rate) <= 1).all()


@given(rates, rates, durations)
def test_ramp_has_at_each_time_as_many_as_the_integral_says(begin: float, end: float, duration_s: float) -> None:
    times = ramp(begin, end, duration_s)
    assert within(times, duration_s)
    at_s = times / 1e9
    expected = begin * at_s + (end - begin) / duration_s * at_s**2 / 2
    assert np.allclose(expected, np.arange(len(times)), atol=max(begin, end) * 2e-9 + 1e-6)
    assert abs(len(times) - (begin + end) / 2 * duration_s) <= 1


def test_a_ramp_may_begin_or_end_at_nothing() -> None:
    up, down = ramp(0, 100, 10), ramp(100, 0, 10)
    assert len(up) == len(down) == 500
    assert up[1] / 1e9 == pytest.approx((2 / 10) ** 0.5)
    assert (np.diff(up) > 0).all()


def test_poisson_is_poisson() -> None:
    times = poisson(500, 60, seed=1)
    assert within(times, 60)
    gaps = np.diff(times) / 1e9
    assert stats.kstest(gaps, "expon", args=(0, 1 / 500)).pvalue > 0.01
    counts = [len(poisson(100, 1, seed=seed)) for seed in range(2000)]
    assert np.var(counts) == pytest.approx(100, rel=0.1)
    assert np.mean(counts) == pytest.approx(100, rel=0.02)


def test_diurnal_swings() -> None:
    times = diurnal(100, 900, 120, period_s=40, seed=2) / 1e9
    counts, _ = np.histogram(times, bins=np.arange(0, 121, 2.0))
    middle = np.arange(1, 120, 2.0)
    expected = 2 * (500 - 400 * np.cos(2 * np.pi * middle / 40))
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 0.01


def test_the_same_seed_gives_the_same_times() -> None:
    assert (poisson(50, 5, seed=3) == poisson(50, 5, seed=3)).all()
    assert (
        len(poisson(50, 5, seed=3)) != len(poisson(50, 5, seed=4))
        or (poisson(50, 5, seed=3) != poisson(50, 5, seed=4)).any()
    )


def test_replay_begins_at_once_and_goes_as_fast_as_told() -> None:
    assert list(replay([5.0, 6.5, 6.5, 9.0], faster=2)) == [0, 750_000_000, 750_000_000, 2_000_000_000]
    assert list(replay([])) == []


@pytest.mark.parametrize(
    ("times", "said"),
    [([1.0, 3.0, 2.0], r"time 3 \(2 s\) lies before the one above it \(3 s\)"), ([float("nan")], "finite")],
)
def test_what_cannot_be_replayed(times: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replay(times)


@pytest.mark.parametrize(("rate", "duration_s"), [(0, 1), (-1, 1), (float("nan"), 1), (1, 0), (1, float("inf"))])
def test_what_is_no_rate_or_duration(rate: float, duration_s: float) -> None:
    for plan in (constant, lambda *given: poisson(*given, seed=1)):
        with pytest.raises(ValueError, match="above 0 is wanted"):
            plan(rate, duration_s)
