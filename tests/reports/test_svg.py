"""Scales, ticks and elements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.reports.svg import Linear, Logarithmic, element


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e5), st.integers(1, 20))
def test_ticks_are_round_and_inside(low: float, width: float, about: int) -> None:
    scale = Linear(low, low + width)
    ticks = scale.ticks(about)
    assert len(ticks) <= about + 1
    assert all(scale.low - 1e-6 * width <= tick <= scale.high + 1e-6 * width for tick in ticks)
    if len(ticks) > 1:
        step = ticks[1] - ticks[0]
        leading = step / 10 ** np.floor(np.log10(step) + 1e-5)
        assert leading == pytest.approx(round(leading), rel=1e-3)
        assert round(leading) in (1, 2, 5)


def test_a_logarithm_keeps_to_its_edges() -> None:
    scale = Logarithmic(1, 1000)
    assert [scale(value) for value in (0, 1, 1000, 5000)] == [0, 0, 1, 1]
    assert scale(10) == pytest.approx(1 / 3)
    assert scale.all(np.array([0.0, 10.0])).tolist() == pytest.approx([0, 1 / 3])
    assert scale.decades() == [1, 10, 100, 1000]


def test_text_and_attributes_are_escaped() -> None:
    assert element("text", text="a < b & c", aria_label='"x"', x=1.005, y=None) == (
        '<text aria-label="&quot;x&quot;" x="1">a &lt; b &amp; c</text>'
    )
