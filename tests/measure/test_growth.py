"""Growth: against scipy, against what is known, and what cannot be fitted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from idcbench.measure.growth import fit_growth, spread

SIZES = st.lists(st.integers(1, 100_000), min_size=3, max_size=8, unique=True)


@given(sizes=SIZES, data=st.data())
def test_exponent_and_interval_are_those_of_scipy(sizes: list[int], data: st.DataObject) -> None:
    values = {size: data.draw(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=5)) for size in sizes}
    found = fit_growth(values)
    ordered = sorted(values)
    line = stats.linregress(np.log(ordered), np.log([np.median(values[size]) for size in ordered]))
    error = np.nan_to_num(line.stderr)  # which scipy does not know of medians that are all equal
    reach = stats.t.ppf(0.975, len(sizes) - 2) * error
    assert found.exponent == pytest.approx(line.slope, rel=1e-6, abs=1e-8)
    assert found.high - found.low == pytest.approx(2 * reach, rel=1e-5, abs=1e-6)
    assert found.low <= found.exponent <= found.high


@given(exponent=st.floats(-2, 3), factor=st.floats(1e-3, 1e3), sizes=SIZES)
def test_a_power_law_is_found_whatever_its_factor(exponent: float, factor: float, sizes: list[int]) -> None:
    found = fit_growth({size: [factor * size**exponent] * 3 for size in sizes})
    assert found.exponent == pytest.approx(exponent, abs=1e-6)
    assert found.sizes == tuple(sorted(sizes))


def test_one_value_far_off_moves_nothing_that_has_a_median() -> None:
    steps = {size: [size * 1.0, size * 1.0, size * 1.0] for size in (1, 10, 100)}
    assert fit_growth(steps | {100: [100.0, 100.0, 1e9]}) == fit_growth(steps)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({1: [1.0], 2: [2.0]}, "3 sizes or more; there are 2"),
        ({1: [1.0], 2: [0.0], 3: [1.0]}, "at size 2, where the median is 0"),
        ({1: [1.0], 2: [float("nan")], 3: [1.0]}, "at size 2, where the median is nan"),
        ({1: [1.0], 2: [], 3: [1.0]}, "at size 2, where the median is nan"),
        ({0: [1.0], 2: [1.0], 3: [1.0]}, "at size 0"),
    ],
)
def test_what_has_no_growth_says_so(steps: dict[int, list[float]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fit_growth(steps)


def test_sizes_are_spread_evenly_on_a_log_axis() -> None:
    assert spread(1, 1000, steps=4) == (1, 10, 100, 1000)
    assert spread(100, 1000, steps=4) == (100, 215, 464, 1000)
    assert spread(1, 2, steps=4) == (1, 2)
    with pytest.raises(ValueError, match="found 0 to 5"):
        spread(0, 5, steps=3)
