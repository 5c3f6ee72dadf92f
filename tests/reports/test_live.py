"""What there is of a run while it goes on, in three stages of a made-up one."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.errors import RunError
from idcbench.reports.live import LAST_LINES, fingerprint, render_live, state_of
from idcbench.reports.model import report_of
from idcbench.runs.directory import Run, create_run

from .synthetic_run import make_run


def test_begun_run_has_a_test_at_work_and_no_figures(tmp_path: Path) -> None:
    run = create_run(tmp_path, target_id="embedded")
    run.happened("ready", reused=False)
    run.happened("test-began", nodeid="a.py::first")

    state = state_of(run)

    assert (state["id"], state["target"], state["ended"]) == ("embedded/0001_run", "embedded", None)
    assert state["started"] == run.document().started
    assert state["at_work"] == ["a.py::first"]
    assert sum(state["tests"].values()) == 0
    assert state["metrics"] == []
    assert [line["said"] for line in state["lines"]] == ["ready reused=False"]


def test_going_run_counts_tests_and_tells_metrics(tmp_path: Path) -> None:
    run = make_run(tmp_path, repetitions=1, state="cut-off")
    for nodeid, outcome in (("a.py::one", "passed"), ("a.py::two", "failed"), ("a.py::three", "passed")):
        run.happened("test-began", nodeid=nodeid)
        run.happened("test-ended", nodeid=nodeid, outcome=outcome)
    run.happened("test-began", nodeid="a.py::one")  # again, in another round

    state = state_of(run)

    assert state["tests"] == {"passed": 2, "failed": 1, "error": 0, "skipped": 0}
    assert state["at_work"] == ["a.py::one"]
    ready = next(row for row in state["metrics"] if row["name"] == "cluster.ready")
    assert ready == {"name": "cluster.ready", "labels": "", "n": "1", "p50": "8.41 s", "p99": "—", "max": "8.41 s"}
    assert len(state["lines"]) == LAST_LINES
    assert not any("test-" in line["said"] for line in state["lines"])


def test_ended_run_says_what_run_json_says(tmp_path: Path) -> None:
    run = make_run(tmp_path, repetitions=1, state="failed")
    run.happened("test-began", nodeid="a.py::killed")
    document = run.document()

    state = state_of(run)

    assert state["ended"] == document.ended
    assert state["tests"]["failed"] == document.tests.failed == 1
    assert state["tests"]["error"] == document.tests.errors
    assert len(state["metrics"]) == len(document.metrics)
    assert state["at_work"] == []


def test_fingerprint_changes_with_a_sample_and_an_event(tmp_path: Path) -> None:
    run = create_run(tmp_path, target_id="embedded")
    series = run.series("a.b", unit="ms", better="lower")
    seen = [fingerprint(run)]
    series.add(1.0)
    seen.append(fingerprint(run))
    run.happened("ready")
    seen.append(fingerprint(run))

    assert len(set(seen)) == 3
    assert fingerprint(run) == seen[-1]


def test_tests_are_no_happenings_of_the_report(tmp_path: Path) -> None:
    run = make_run(tmp_path, repetitions=1)
    before = report_of(run).happenings
    run.happened("test-began", nodeid="a.py::one")
    run.happened("test-ended", nodeid="a.py::one", outcome="passed")

    assert report_of(run).happenings == before


def test_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = render_live(create_run(tmp_path, target_id="embedded"))

    assert "https://" not in page
    assert "default-src 'none'" in page
    assert 'new EventSource("events")' in page


def test_no_run_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run directory"):
        state_of(Run(tmp_path / "gone"))
