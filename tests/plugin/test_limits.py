"""Limits: the file and its errors, and what breaks a bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.errors import UsageError
from idcbench.plugin.limits import Limit, breaches, read_limits
from idcbench.runs.schema import Metric


def metric(n: int = 1, **more: object) -> Metric:
    values = {"name": "out", "unit": "s", "better": "lower", "min": 1.0, "p50": 2.0, "max": 3.0, "samples": "a"}
    return Metric(n=n, **(values | more))  # type: ignore[arg-type]


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("- {metric: out, labels: {n: 3, fault: x}, statistic: max, at_most: 2.3}\n")
    assert read_limits(file) == (Limit(metric="out", labels={"n": "3", "fault": "x"}, statistic="max", at_most=2.3),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {metric: out, statistic: max}", "limit 1: exactly one of at_most and at_least"),
        ("- {metric: out, statistic: max, at_most: 1, at_least: 1}", "exactly one"),
        ("- {metric: out, statistic: p42, at_most: 1}", "$.statistic"),
        ("- {metric: out, statistic: max, at_most: fast}", "$.at_most"),
        ("- {metric: out, statistic: max, atmost: 1}", "atmost"),
        ("- {metric: out, statistic: max, at_most: 1}\n- 7", "limit 2"),
        ("- [unclosed", "line 1: not YAML"),
        ("metric: out", "a list of limits is wanted"),
        ("", "a list of limits is wanted"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_limits(file)
    assert str(file) in str(caught.value)
    assert said in str(caught.value)


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_limits(tmp_path / "none.yaml")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="UTF-8"):
        read_limits(tmp_path / "bytes")


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        (Limit(metric="out", statistic="max", at_most=3.0), True),
        (Limit(metric="out", statistic="max", at_most=2.9), False),
        (Limit(metric="out", statistic="min", at_least=1.0), True),
        (Limit(metric="out", statistic="p50", at_least=2.1), False),
        (Limit(metric="other", statistic="max", at_most=0), True),
        (Limit(metric="out", labels={"fault": "y"}, statistic="max", at_most=0), True),
        (Limit(metric="out", labels={"fault": "x"}, statistic="max", at_most=0), False),
        (Limit(metric="out", statistic="p99", at_most=99), False),
    ],
)
def test_bounds(limit: Limit, kept: bool) -> None:
    said = breaches([limit], before=[], after=[metric(labels={"fault": "x"})])
    assert (not said) is kept


def test_a_breach_is_told_with_its_figures() -> None:
    limit = Limit(metric="out", statistic="max", at_most=2)
    assert breaches([limit], before=[], after=[metric(labels={"a": "b"})]) == [
        "out{a=b} max is 3 s, at most 2 is allowed"
    ]


def test_only_what_this_test_measured_is_judged() -> None:
    limit = Limit(metric="out", statistic="max", at_most=2)
    assert not breaches([limit], before=[metric(4)], after=[metric(4)])
    assert breaches([limit], before=[metric(4)], after=[metric(5)])
