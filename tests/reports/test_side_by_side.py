"""Three runs of a hundred metrics in one page; what a setting buys; growth, objectives and lost writes of one run."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from idcbench.reports.comparing_html import render_comparison, write_comparison
from idcbench.reports.html import LARGEST_BYTES, render_html
from idcbench.reports.model import report_of
from idcbench.reports.subjects import subject_of
from idcbench.reports.summary import summary_of
from idcbench.reports.write import write_report
from idcbench.runs.comparing import compare_runs
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import TestCounts, Validity

PLANES = (1, 3, 5)


def make(root: Path, planes: int, *, metrics: int, valid: bool = True) -> Run:
    """Ten rounds of ``metrics``: with more planes outages are shorter, and memory and latency higher."""
    run = create_run(root, target_id="embedded")
    draw = np.random.default_rng(planes)
    for number in range(10):
        at = range(number * 10**9, number * 10**9 + 400 * 10**6, 10**6)
        run.happened("round-began", at_ns=at[0], number=number)
        for metric in range(metrics):
            name, unit, scale = ("api.latency", "ms", 1.0) if metric % 2 else ("control-plane.memory", "bytes", 1e8)
            series = run.series(
                name, unit=unit, better="lower", headline=metric < 2, labels={"of": f"{metric:03d}"}, definition="d"
            )
            series.add_many(scale * planes**0.4 * draw.lognormal(1, 0.2, 400), at)
        outage = run.series(
            "failover.write_outage", unit="ms", better="lower", repetition=True, headline=True, labels={"fault": "x"}
        )
        outage.add(3000 / planes + draw.normal(0, 10), at[5])
        run.happened("round-ended", at_ns=at[-1], number=number)
    grown = {"sizes": [100, 300, 1000], "medians": [2.0, 3.1, 5.2], "exponent": 0.42, "low": 0.35, "high": 0.5}
    run.happened("growth", metric="api.latency", labels={}, by="nodes", **grown)
    run.happened("growth", metric="api.latency", labels={}, by="nodes", sizes=[1], medians=[0.0], exponent=1.0)
    facts = {
        "cluster": {"target": "embedded", "control_planes": planes, "nodes": 50},
        "ab": {"id": "x", "key": "control-planes", "value": str(planes)},
        "load": "10 pod creates a second",
    }
    validity = Validity(valid=valid, reasons=() if valid else ("it was late",))
    run.finish(tests=TestCounts(), checks=(), facts=facts, options={}, validity=validity)
    return run


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    root = tmp_path_factory.mktemp("three") / ".idcbench"
    return [make(root, planes, metrics=100) for planes in PLANES]


def test_the_summary_says_what_masters_buy_and_cost_with_figures(tmp_path: Path) -> None:
    runs = [make(tmp_path, planes, metrics=4) for planes in PLANES[:2]]
    summary = summary_of(compare_runs(*runs))
    (side,) = summary.sides
    assert (side.gained, side.lost) == ("What three masters buy", "What they cost")
    ((subject, bought),) = side.lines("gains")
    assert subject == "availability"
    assert bought.startswith("failover.write_outage (fault=x): 3.00 s became 1.00 s, 0.33")
    assert {subject for subject, _ in side.lines("losses")} == {"cost", "latency"}
    assert "control-planes=3, embedded, 3 control planes, 50 nodes" in summary.opening[0]
    assert summary.opening[1] == "The load: 10 pod creates a second."
    assert summary.opening[2] == "10 rounds a side, taken in turns, so that what drifts hits all alike."
    assert "named before the runs" in summary.certainty[0]


@pytest.mark.parametrize(
    ("name", "unit", "subject"),
    [
        ("failover.read_outage", "ms", "availability"),
        ("api.latency", "ms", "latency"),
        ("pods.rate", "pods/s", "throughput"),
        ("etcd.size", "bytes", "cost"),
        ("measure.probe_lag_p99", "ms", "the measuring itself"),
        ("etcd.keys", "keys", "other"),
    ],
)
def test_every_metric_has_a_subject(name: str, unit: str, subject: str) -> None:
    assert subject_of(name, unit) == subject


def test_figures_of_an_invalid_run_are_grey_and_not_in_large_type(tmp_path: Path) -> None:
    runs = [make(tmp_path, 1, metrics=2), make(tmp_path, 3, metrics=2, valid=False)]
    page = render_comparison(compare_runs(*runs), runs)
    assert '<p class="verdict warn">Invalid</p>' in page
    assert '<td class="n grey"' in page
    assert '<dl class="headlines invalid">' in render_html(report_of(runs[1]))
    assert '<dl class="headlines">' in render_html(report_of(runs[0]))


def test_objectives_growth_and_lost_writes_are_told(tmp_path: Path) -> None:
    run = create_run(tmp_path, target_id="embedded")
    run.series("failover.acknowledged", unit="writes", better="none", labels={"fault": "x"}).add_many([700, 800])
    run.series("failover.lost", unit="writes", better="lower", labels={"fault": "x"}).add_many([0, 0])
    run.happened("growth", metric="a", labels={}, by="nodes", sizes=[1, 10], medians=[1.0, 8.0], exponent=0.9)
    bound = {"metric": "a", "labels": {}, "statistic": "p99", "at_most": 1.0, "unit": "s"}
    run.happened("objective", name="At most 1 s", value=0.5, met=True, **bound)
    run.happened("objective", name="And this", value=1.5, met=False, **bound)
    run.happened("objective", name="Unknown", value=None, met=None, **bound)
    run.happened("objective", name="no objective at all")
    report = report_of(run)
    assert [one.word for one in report.objectives] == ["met", "not met", "too few samples"]
    assert report.written == (1500, 0)
    page = render_html(report)
    assert ">0 of 1 500<" in page.replace("\u00a0", " ")
    assert "grows with nodes to the power 0.90" in page
    assert len(report.growths) == 1


def test_a_report_of_a_hundred_metrics_is_small(three: list[Run]) -> None:
    assert write_report(three[0].path).stat().st_size < LARGEST_BYTES


@pytest.mark.integration
async def test_three_runs_fit_and_their_tables_sort(three: list[Run], chromium: ModuleType, tmp_path: Path) -> None:
    file = write_comparison(compare_runs(*three), three, tmp_path / "page.html")
    assert file.stat().st_size < LARGEST_BYTES
    async with chromium.browser(tmp_path / "profile") as page:
        await chromium.assert_fits(page, file)
        button = "document.querySelector('#exploratory table.sort thead th:nth-child(3) button')"
        values = "[...document.querySelectorAll('#exploratory tbody td:nth-child(3)')].map(it => +it.dataset.v)"
        for word in ("ascending", "descending"):
            await page.value(f"{button}.click()")
            found = await page.value(values)
            assert len(found) > 50
            assert found == sorted(found, reverse=word == "descending")
            assert await page.value(f"{button}.parentElement.ariaSort") == word
