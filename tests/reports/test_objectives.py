"""Objectives as a report shows them."""

from __future__ import annotations

from idcbench.reports.objectives import Objective, gathered


def judged(metric: str, met: bool | None, **labels: str) -> Objective:
    value = None if met is None else 1.0
    return Objective(
        name="calls", metric=metric, statistic="p99", at_most=2, unit="ms", value=value, met=met, labels=labels
    )


def test_those_that_cannot_be_judged_are_one_row_for_each_metric() -> None:
    given = [judged("a", None, verb="GET"), judged("a", True, verb="PUT"), judged("a", None, verb="LIST"),
             judged("b", None), judged("a", False, verb="POST")]  # fmt: skip
    found = [(one.metric, one.word, one.series, one.labels) for one in gathered(given)]
    assert found == [
        ("a", "too few samples", 2, {}),
        ("a", "met", 1, {"verb": "PUT"}),
        ("b", "too few samples", 1, {}),
        ("a", "not met", 1, {"verb": "POST"}),
    ]
