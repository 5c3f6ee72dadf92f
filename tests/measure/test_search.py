"""The highest rate: found within the tolerance, confirmed, and never by luck."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.measure.search import CONFIRMATIONS, highest_rate


@given(st.floats(1, 10_000), st.floats(0.01, 0.5))
def test_a_sharp_limit_is_found_within_the_tolerance(limit: float, tolerance: float) -> None:
    found = highest_rate(lambda rate: rate <= limit, lowest_per_s=1, most_per_s=100_000, tolerance=tolerance)
    assert found.rate_per_s is not None
    assert found.rate_per_s <= limit < found.rate_per_s * (1 + tolerance) * (1 + 1e-9)
    assert [one.met for one in found.tried][-CONFIRMATIONS:] == [True] * CONFIRMATIONS
    assert len(found.tried) < 40


def test_a_server_that_is_never_too_slow_is_bounded_by_what_one_may_ask() -> None:
    found = highest_rate(lambda _: True, lowest_per_s=10, most_per_s=500)
    assert (found.rate_per_s, found.bounded) == (500, True)


def test_one_that_is_always_too_slow_has_no_rate() -> None:
    found = highest_rate(lambda _: False, lowest_per_s=10, most_per_s=500)
    assert (found.rate_per_s, found.bounded) == (None, False)
    assert [one.rate_per_s for one in found.tried] == [10]


@given(st.integers(0, 10_000))
def test_luck_does_not_confirm(seed: int) -> None:
    """Above 100 it is met in a third of the tries only: what comes out has been met three times in a row."""
    draw = random.Random(seed)
    found = highest_rate(lambda rate: rate <= 100 or draw.random() < 0.3, lowest_per_s=1, most_per_s=10_000)
    assert found.rate_per_s is not None
    last = [one for one in found.tried if one.rate_per_s == found.rate_per_s][-CONFIRMATIONS - 1 :]
    assert [one.met for one in last] == [True] * (CONFIRMATIONS + 1)


@given(st.integers(0, 10_000))
def test_it_ends_also_where_nothing_is_certain(seed: int) -> None:
    draw = random.Random(seed)
    found = highest_rate(lambda _: draw.random() < 0.5, lowest_per_s=1, most_per_s=1000)
    assert len(found.tried) < 400


@pytest.mark.parametrize(("lowest", "most", "tolerance"), [(0, 1, 0.1), (2, 1, 0.1), (1, 2, 0), (1, 2, 1)])
def test_limits_that_make_no_sense(lowest: float, most: float, tolerance: float) -> None:
    with pytest.raises(ValueError, match="are wanted"):
        highest_rate(lambda _: True, lowest_per_s=lowest, most_per_s=most, tolerance=tolerance)
