"""Change points: known shifts are found where they are, and series without one show none beyond the stated level."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from idcbench.measure.changes import DRAWS, LEAST, LEVEL, SHORTEST, _ranks, find_changes

SERIES = 400
ALARMS_MOST = int(stats.binom.ppf(0.999, SERIES, LEVEL))
"""What so many series without a change may show, with 99.9 % confidence, when the level holds."""


@pytest.mark.parametrize("kind", ["normal", "heavy-tailed", "few values", "wild"])
def test_series_without_a_change_show_none_beyond_the_level(kind: str) -> None:
    draw = np.random.default_rng(11)
    alarms = 0
    for number in range(SERIES):
        n = int(draw.integers(LEAST, 60))
        values = {
            "normal": lambda n: draw.normal(100, 5, n),
            "heavy-tailed": lambda n: draw.standard_t(2, n),
            "few values": lambda n: draw.integers(0, 3, n).astype(np.float64),
            "wild": lambda n: draw.normal(100, 5, n) * np.where(draw.random(n) < 0.1, 50, 1),
        }[kind](n)
        alarms += bool(find_changes(values, seed=number))
    assert alarms <= ALARMS_MOST


def test_a_shift_of_two_deviations_is_found_where_it_is() -> None:
    draw = np.random.default_rng(12)
    found = []
    for number in range(100):
        values = draw.normal(100, 5, 30)
        values[20:] += 15
        found.append([change.index for change in find_changes(values, seed=number)])
    assert sum(any(abs(index - 20) <= 1 for index in each) for each in found) >= 95
    assert sum(len(each) > 1 for each in found) <= 5


def test_two_shifts_are_told_apart_and_how_sure_each_is() -> None:
    draw = np.random.default_rng(13)
    values = np.concatenate([draw.normal(level, 1, 15) for level in (10, 20, 14)])
    changes = find_changes(values)
    assert [change.index for change in changes] == [15, 30]
    assert all(1 / (1 + DRAWS) <= change.p < LEVEL for change in changes)


def test_one_wild_value_is_no_change() -> None:
    values = np.random.default_rng(14).normal(100, 1, 30)
    values[17] = 1e6
    assert find_changes(values) == ()


@pytest.mark.parametrize("values", [[], [1.0], [5.0] * 50, [1.0] * 4 + [9.0] * 5])
def test_what_cannot_tell_of_a_change_tells_of_none(values: list[float]) -> None:
    assert find_changes(np.array(values)) == ()


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(ValueError, match="not a measured value"):
        find_changes(np.array([1.0, np.nan]))


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e300, 1e300)))
def test_ranks_are_those_of_scipy(values: np.ndarray) -> None:  # type: ignore[type-arg]
    assert _ranks(values) == pytest.approx(stats.rankdata(values) - (len(values) + 1) / 2)


@settings(max_examples=40)
@given(arrays(np.float64, st.integers(LEAST, 40), elements=st.floats(-1e3, 1e3)), st.integers(0, 2))
def test_changes_are_in_order_far_enough_apart_and_no_matter_of_scale(values: np.ndarray, power: int) -> None:  # type: ignore[type-arg]
    changes = find_changes(values)
    edges = [0, *(change.index for change in changes), len(values)]
    assert all(b - a >= SHORTEST for a, b in pairwise(edges))
    assert find_changes(values * 2.0**power) == changes
