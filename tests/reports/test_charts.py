"""Charts: every failed request kept, points thinned to pixels, words for those who cannot see."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from idcbench.reports.bars import dots, percentile_bar
from idcbench.reports.charts import outage_timeline, timeline_in_words
from idcbench.reports.faults import Repetition
from idcbench.reports.model import Report
from idcbench.reports.outages import FAILED, OK, UNKNOWN, Stream


@pytest.fixture
def repetition(reports: dict[str, Report]) -> Repetition:
    return next(it for it in reports["passed"].faults if it.fault.name == "host-loss-silent").fault.repetitions[0]


def paths(svg: str, class_: str) -> list[str]:
    return [node.get("d", "") for node in ElementTree.fromstring(svg).iter("path") if node.get("class") == class_]


def test_it_is_well_formed_and_described(repetition: Repetition) -> None:
    root = ElementTree.fromstring(outage_timeline(repetition, name="x-1"))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "x-1-t x-1-d"
    assert root.findtext("desc") == timeline_in_words(repetition)
    assert "writes on new connections: out for" in timeline_in_words(repetition)


def test_every_failed_and_unknown_request_has_its_mark(repetition: Repetition) -> None:
    svg = outage_timeline(repetition, name="x")
    failed = sum(stream.failed for stream in repetition.streams)
    unknown = sum(stream.unknown for stream in repetition.streams)
    assert failed > 20
    assert "".join(paths(svg, "failed")).count("M") == failed
    assert "".join(paths(svg, "unknown")).count("M") == unknown


def test_a_failure_long_after_the_fault_is_shown_too(repetition: Repetition) -> None:
    stream = repetition.streams[0]
    outcome = stream.outcome.copy()
    outcome[-3] = FAILED
    svg = outage_timeline(replace(repetition, streams=(replace(stream, outcome=outcome),)), name="x")
    places = [float(x) for x in re.findall(r"M([\d.]+)", "".join(paths(svg, "failed")))]
    assert len(places) == stream.failed + 1
    assert all(0 <= x <= 1000 for x in places)


def test_points_are_as_many_as_pixels_can_show(repetition: Repetition) -> None:
    random = np.random.default_rng(1)
    many = 200_000
    stream = Stream(
        kind="read", connection="reused", interval_ms=1, planned_s=np.sort(random.uniform(-2, 8, many)),
        latency_ms=random.lognormal(1, 0.5, many), outcome=np.full(many, OK, np.uint8), outage=None, degraded_ms=0.0,
    )  # fmt: skip
    svg = outage_timeline(replace(repetition, streams=(stream,)), name="x")
    (path,) = paths(svg, "points reused")
    assert 1000 < path.count("h0") < 60_000
    assert len(svg) < 600_000


def test_nothing_is_drawn_beside_the_chart(repetition: Repetition) -> None:
    svg = outage_timeline(repetition, name="x")
    shares = [float(value) for value in re.findall(r'(?:x|x1|x2|width)="(-?[\d.]+)%"', svg)]
    assert all(0 <= share <= 100 for share in shares)


@pytest.mark.parametrize("outcome", [OK, FAILED, UNKNOWN])
def test_a_stream_of_one_outcome_is_drawn(repetition: Repetition, outcome: int) -> None:
    stream = repetition.streams[0]
    alone = replace(stream, outcome=np.full_like(stream.outcome, outcome), outage=None)
    ElementTree.fromstring(outage_timeline(replace(repetition, streams=(alone,), acts=(), owners=()), name="x"))


def test_each_of_a_few_values_is_a_dot_and_the_bound_is_named() -> None:
    svg = dots([1200.0, 1300.0], longest_ms=2400, bound_ms=2300)
    assert svg.count("<circle") == 2
    assert 'aria-label="values 1.20 s, 1.30 s; bound 2.30 s"' in svg
    many = dots(list(range(100)), longest_ms=200, bound_ms=None)
    assert "<circle" not in many
    assert "from 0 ms to 99 ms, median 49.5 ms" in many


def test_a_bar_shows_only_the_quantiles_that_there_are() -> None:
    assert percentile_bar([3.0], unit="ms") == ""
    assert percentile_bar([1.0, 2.0], unit="ms").count('class="tail"') == 0
    assert percentile_bar(list(map(float, range(100))), unit="ms").count('class="tail"') == 1
    assert percentile_bar(list(map(float, range(400))), unit="ms").count('class="tail"') == 2
    assert percentile_bar([0.0, 0.0], unit="ms")
