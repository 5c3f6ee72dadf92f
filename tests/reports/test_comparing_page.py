"""The page of a comparison: its charts by numbers, and the whole of it in a browser."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from idcbench.reports.comparing_html import write_comparison
from idcbench.reports.ecdf import POINTS, curve, ecdf
from idcbench.reports.forest import axis, intervals, scale_of
from idcbench.runs.comparing import compare_runs
from idcbench.runs.comparison import Difference
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import TestCounts, Validity


def ratio(value: float, low: float | None, high: float | None) -> Difference:
    return Difference(
        name="x", unit="ms", better="lower", quantile="p50", kind="rounds", rounds=(10, 10), samples=(10, 10),
        a=1.0, b=value, value=value, low=low, high=high, word="worse",
    )  # fmt: skip


@given(arrays(np.float64, st.integers(1, 2000), elements=st.floats(0, 1e6)))
def test_a_curve_is_short_rises_and_keeps_both_ends(values: np.ndarray) -> None:  # type: ignore[type-arg]
    points = curve(values)
    assert len(points) <= POINTS
    assert points[0][0] == values.min()
    assert points[-1] == (values.max(), 1.0)
    assert points == sorted(points)
    for value, share in points:  # each point lies on the real curve, up to equal values
        assert (values < value).mean() < share <= (values <= value).mean() + 1e-12


def test_a_chart_says_in_words_what_it_shows_and_nothing_gives_none() -> None:
    chart = ecdf([("A", np.array([1.0, 2.0, 3.0])), ("B", np.array([]))], unit="ms")
    assert 'aria-label="A: 3 values from 1 ms to 3 ms, median 2 ms"' in chart
    assert ecdf([("A", np.array([]))], unit="ms") == ""
    for values in ([0.0, 0.0], [5.0], [-3.0, 2.0], [1e-9, 1e9]):
        assert "nan" not in ecdf([("A", np.array(values))], unit="s")


@given(st.floats(1e-4, 1e4), st.floats(1, 100), st.floats(0.01, 0.5))
def test_no_difference_is_in_the_middle_and_the_interval_in_the_picture(
    value: float, wide: float, minimum_effect: float
) -> None:
    one = ratio(value, value / wide, value * wide)
    x = scale_of([one], minimum_effect)
    assert x(1.0) == pytest.approx(0.5)
    drawn = intervals([one], x, minimum_effect)
    assert all(-0.01 <= float(found) <= 100.01 for found in re.findall(r'"([-0-9.e]+)%"', drawn))
    assert "1×" in axis(x)


def test_without_an_interval_the_ratio_alone_is_drawn() -> None:
    x = scale_of([ratio(2.0, None, None)], 0.05)
    assert 'aria-label="2 times"' in intervals([ratio(2.0, None, None)], x, 0.05)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Run, Run]:
    """Two runs of twelve rounds with what a page may have to show: headlines, zeros, long names, nothing."""
    made = []
    for factor, seed in ((1.0, 1), (1.4, 2)):
        run = create_run(tmp_path / ".idcbench", target_id="embedded")
        draw = np.random.default_rng(seed)
        for number in range(12):
            at = range(number * 1000, number * 1000 + 400)
            run.happened("round-began", at_ns=at[0], number=number)
            for verb in ("GET", "LIST", "POST"):
                labels = {"verb": verb, "scope": "namespace"}
                series = run.series(
                    "api.request_duration", unit="ms", better="lower", headline=verb != "POST", labels=labels
                )
                series.add_many(factor * draw.lognormal(1, 0.4, 400), at)
            run.series("etcd.leader_changes", unit="changes", better="lower").add_many([float(factor > 1)] * 400, at)
            run.series("a.very.long.name.of.a.metric.that.nobody.would.choose", unit="s", better="none").add_many(
                draw.lognormal(0, 2, 400), at
            )
            run.happened("round-ended", at_ns=at[-1], number=number)
        options = {"profile": "fast" if factor > 1 else "default"}
        run.finish(tests=TestCounts(), checks=(), facts={}, options=options, validity=Validity())
        made.append(run)
    return made[0], made[1]


@pytest.mark.integration
async def test_it_fits_asks_for_nothing_and_does_not_complain(
    two: tuple[Run, Run], chromium: ModuleType, tmp_path: Path
) -> None:
    file = write_comparison(compare_runs(*two), two, tmp_path / "page.html")
    assert file.stat().st_size < 500_000
    async with chromium.browser(tmp_path / "profile") as page:
        await chromium.assert_fits(page, file)
