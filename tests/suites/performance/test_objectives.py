"""Objectives: which holds for what, and that a measurement says of itself whether it met one, or cannot say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from idcbench.runs.directory import create_run
from idcbench.suites.performance.objectives import MUTATING, POD_STARTUP, READ_MANY, READ_ONE, judge, of_call

LABELS = {"verb": "GET"}


@pytest.mark.parametrize(
    ("verb", "scope", "wanted"),
    [
        ("GET", "resource", READ_ONE), ("LIST", "namespace", READ_MANY), ("LIST", "cluster", READ_MANY),
        ("POST", "resource", MUTATING), ("PATCH", "resource", MUTATING), ("DELETE", "resource", MUTATING),
    ],
)  # fmt: skip
def test_each_call_has_its_objective(verb: str, scope: str, wanted: object) -> None:
    assert of_call(verb, scope) is wanted


def test_the_limits_are_those_of_sig_scalability() -> None:
    assert [one.at_most / 1000 for one in (MUTATING, READ_ONE, READ_MANY, POD_STARTUP)] == [1, 1, 30, 5]
    assert all("99th percentile over last 5 minutes" in one.name for one in (MUTATING, READ_ONE, READ_MANY))


@pytest.mark.parametrize(
    ("values", "value", "met"),
    [
        (np.full(299, 1000.0), 1000.0, True),
        (np.full(299, 1000.5), 1000.5, False),
        (np.full(298, 9000.0), None, None),
        (np.array([]), None, None),
        (np.concatenate([[9000.0] * 2, np.full(998, 5.0)]), 5.0, True),
    ],
)
def test_a_measurement_is_judged_by_its_99th_percentile(
    tmp_path: Path, values: np.ndarray[tuple[int], np.dtype[np.float64]], value: float | None, met: bool | None
) -> None:
    run = create_run(tmp_path, target_id="x")
    assert judge(run, MUTATING, values, metric="api.latency", labels=LABELS) is met
    [event] = run.events()
    told = {key: event[key] for key in ("what", "metric", "labels", "statistic", "at_most", "unit", "value", "met")}
    assert told == {
        "what": "objective", "metric": "api.latency", "labels": LABELS, "statistic": "p99", "at_most": 1000.0,
        "unit": "ms", "value": value, "met": met,
    }  # fmt: skip
