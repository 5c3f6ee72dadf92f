"""Histograms: merging loses nothing, a quantile is as near as stated, and what is encoded comes back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from idcbench.measure.histogram import RELATIVE_ERROR, Histogram

HOUR_NS = 3_600_000_000_000
DURATIONS = st.lists(st.one_of(st.integers(0, 10_000_000), st.integers(0, HOUR_NS)), max_size=60)
SHARES = (0.01, 0.5, 0.95, 0.99, 1.0)


@given(st.lists(DURATIONS, max_size=5))
def test_the_merge_of_parts_is_the_histogram_of_the_whole(parts: list[list[int]]) -> None:
    whole = Histogram.of([each for part in parts for each in part])
    merged = Histogram.merged(Histogram.of(part) for part in parts)
    back = Histogram.merged(Histogram.decode(Histogram.of(part).encode()) for part in reversed(parts))
    assert merged.encode() == whole.encode() == back.encode()
    assert merged.count == whole.count == sum(map(len, parts))
    assert [merged.quantile_ms(share) for share in SHARES] == [whole.quantile_ms(share) for share in SHARES]


@given(DURATIONS.filter(bool), st.floats(0, 1, exclude_min=True))
def test_a_quantile_is_as_near_as_stated(durations: list[int], share: float) -> None:
    ranked, place = sorted(durations), share * len(durations)
    near = {max(1, math.ceil(place - 0.5 - 1e-6)), max(1, math.floor(place + 0.5 + 1e-6))}  # both, at a half
    found = Histogram.of(durations).quantile_ms(share)
    assert found is not None
    true_ms = [ranked[each - 1] / 1e6 for each in near]
    assert any(true - 0.001 <= found <= true * (1 + RELATIVE_ERROR) + 0.001 for true in true_ms)


def test_nothing_has_no_quantile() -> None:
    assert Histogram.of([]).quantile_ms(0.5) is None


@pytest.mark.parametrize("durations", [[-1001], [HOUR_NS + 1_000_000]])
def test_what_is_no_duration_is_refused(durations: list[int]) -> None:
    with pytest.raises(ValueError, match="from 0 to an hour"):
        Histogram.of(np.array(durations))


@pytest.mark.parametrize("text", ["", "HISTFAAA", "nonsense", HdrHistogram(1, 1000, 2).encode().decode()])
def test_what_is_no_histogram_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HdrHistogram"):
        Histogram.decode(text)
