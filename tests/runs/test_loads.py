"""A load in a run: every figure is there under its labels, and a load that broke its plan makes the run invalid."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from idcbench.measure.arrivals import constant
from idcbench.measure.calls import Call
from idcbench.measure.loader import LoadPlan, LoadResult
from idcbench.measure.open_loop import SENT, Outcome
from idcbench.measure.overhead import Overhead
from idcbench.runs.directory import Run, create_run
from idcbench.runs.loads import BEHIND, LAG, LATENCY, REQUESTS, record_load

CALLS = (Call(name="GET pod", path="/a"), Call(name="POST pod", method="POST", path="/b"))


def result(*, lag_ms: float, late: int) -> LoadResult:
    sent = np.zeros(100, dtype=SENT)
    sent["planned_ns"] = constant(100, 1)
    sent["started_ns"] = sent["planned_ns"] + 1_000_000
    sent["started_ns"][len(sent) - late :] += 3_000_000_000
    sent["completed_ns"] = sent["started_ns"] + 4_000_000
    sent["call"][50:] = 1
    sent["outcome"][:2] = Outcome.REFUSED
    lag = Overhead(
        cpu_share=0, cpu_s=0, wall_s=1, lag_p50_ms=1, lag_p99_ms=lag_ms, lag_max_ms=lag_ms, samples=len(sent)
    )
    return LoadResult(
        plan=LoadPlan(planned_ns=constant(100, 1), calls=CALLS), started_ns=0, sent=sent, overheads=(lag,)
    )


def recorded(folder: Path, load: LoadResult) -> Run:
    run = create_run(folder, target_id="t")
    record_load(run, load, labels={"load": "standard"})
    return run


def reasons(run: Run) -> list[str]:
    return [event["reason"] for event in run.events() if event["what"] == "invalid"]


def test_every_figure_is_there(tmp_path: Path) -> None:
    run = recorded(tmp_path, result(lag_ms=2, late=0))
    assert np.allclose(run.values(LATENCY, {"load": "standard", "call": "GET pod"}), [5.0] * 48)
    assert np.allclose(run.values(LATENCY, {"load": "standard", "call": "POST pod"}), [5.0] * 50)
    assert np.allclose(run.values(LAG, {"load": "standard"}), [1.0] * 100)
    assert run.values(BEHIND, {"load": "standard"}).tolist() == [0.0]
    refused = {"load": "standard", "call": "GET pod", "outcome": "refused"}
    assert run.values(REQUESTS, refused).tolist() == [2.0]
    assert reasons(run) == []


def test_a_load_that_was_late_or_fell_behind_makes_the_run_invalid(tmp_path: Path) -> None:
    run = recorded(tmp_path, result(lag_ms=11, late=3))
    late, behind = reasons(run)
    assert late.startswith("load (load standard): a load process started 1 % of its requests 11.0 ms late")
    assert behind.startswith("load (load standard): the load fell behind its plan by 3.0%")
