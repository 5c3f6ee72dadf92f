"""The history of a target: lines of runs that may be set beside each other, and where they changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idcbench.errors import UsageError
from idcbench.runs.directory import Run, create_run
from idcbench.runs.document import read_document, write_document
from idcbench.runs.history import history_of
from idcbench.runs.schema import TestCounts, Validity
from idcbench.runs.shelf import shelved
from idcbench.runs.trends import History

NEAR = (1.0, 1.01, 0.99, 1.02, 0.98, 1.005)


def made(root: Path, *values: float, target: str = "embedded", facts: dict[str, Any] | None = None, valid: bool = True,
         interrupted: bool = False, better: Any = "lower", signed: bool = False, **options: Any) -> Run:  # fmt: skip
    run = create_run(root, target_id=target)
    run.series("m", unit="ms", better=better, signed=signed).add_many(values, 0)
    validity = Validity(valid=valid, reasons=() if valid else ("it was late",))
    run.finish(
        tests=TestCounts(), checks=(), facts=facts or {}, options=options, validity=validity, interrupted=interrupted
    )
    return run


def history(root: Path, *, last: int = 50, metrics: Sequence[str] = ()) -> History:
    return history_of(shelved(root), last=last, metrics=metrics)


@pytest.mark.parametrize(("better", "word"), [("lower", "worse"), ("higher", "better"), ("none", "higher")])
def test_a_change_is_told_with_what_changed_there(tmp_path: Path, better: str, word: str) -> None:
    for factor in NEAR:
        made(tmp_path, 10 * factor, kubernetes="1.36", better=better)
    for factor in NEAR:
        made(tmp_path, 20 * factor, kubernetes="1.37", better=better)
    (line,) = history(tmp_path).lines
    (trend,) = line.trends
    (shift,) = trend.shifts
    assert (trend.quantile, shift.index, shift.word) == ("value", 6, word)
    assert (shift.before, shift.after) == ("embedded/0006_run", "embedded/0007_run")
    assert shift.value == pytest.approx(2.0, rel=0.01)
    assert shift.low is not None
    assert shift.high is not None
    assert shift.low < 2.0 < shift.high
    assert shift.p < 0.01
    assert [(it.key, it.a, it.b) for it in shift.changed] == [("options.kubernetes", "1.36", "1.37")]


def test_a_change_below_the_minimum_effect_is_not_told(tmp_path: Path) -> None:
    for value in (*NEAR, *(1.03 + factor / 1000 for factor in NEAR)):
        made(tmp_path, value)
    assert not history(tmp_path).lines[0].trends[0].shifts


def test_what_cannot_be_used_is_named_and_left_out(tmp_path: Path) -> None:
    made(tmp_path, 1.0)
    made(tmp_path, 1.0, valid=False)
    made(tmp_path, 1.0, interrupted=True)
    create_run(tmp_path, target_id="embedded")
    (made(tmp_path, 1.0).path / "run.json").write_bytes(b"")
    found = history(tmp_path)
    assert found.lines[0].runs == ("embedded/0001_run",)
    said = {it.what.rpartition("/")[2]: it.why for it in found.left_out}
    assert list(said) == ["0005_run", "0004_run", "0003_run", "0002_run"]
    assert "damaged or not of idcbench" in said["0005_run"]
    assert "it has no end" in said["0004_run"]
    assert said["0003_run"] == "it was interrupted"
    assert said["0002_run"] == "it is invalid: it was late"


def test_runs_whose_settings_differ_are_lines_of_their_own(tmp_path: Path) -> None:
    cluster = {"cluster": {"control_planes": 3, "nodes": 100, "virtual_ip": "10.0.0.1"}}
    made(tmp_path, 1.0, nodes=50, suite=["a"])
    made(tmp_path, 1.0, nodes=100, facts=cluster)
    made(tmp_path, 1.0, nodes=50, suite=["b"], kubernetes="1.37")
    made(tmp_path, 1.0, nodes=50, facts={"ab": {"id": "x", "key": "control-planes", "value": "1"}})
    made(tmp_path, 1.0, target="kind", nodes=50)
    found = {(line.target, *line.settings.items()): line.runs for line in history(tmp_path).lines}
    assert found == {
        ("kind", ("nodes", "50")): ("kind/0001_run",),
        ("embedded", ("control_planes", "1"), ("nodes", "50")): ("embedded/0004_run",),
        ("embedded", ("nodes", "50")): ("embedded/0001_run", "embedded/0003_run"),
        ("embedded", ("control_planes", "3"), ("nodes", "100")): ("embedded/0002_run",),
    }


def test_the_last_are_the_newest_that_can_be_used(tmp_path: Path) -> None:
    for number in range(6):
        made(tmp_path, float(number), valid=number != 4)
    found = history(tmp_path, last=3)
    assert [point.value for point in found.lines[0].trends[0].points] == [2.0, 3.0, 5.0]
    assert [it.what for it in found.left_out] == ["embedded/0005_run"]


def test_figures_that_are_none_cost_their_metric_not_the_run(tmp_path: Path) -> None:
    made(tmp_path, 1.0)
    made(tmp_path, -1.0, signed=True)
    clock = made(tmp_path, 1.0)
    document = read_document(clock.path)
    stepped = msgspec.structs.replace(document.metrics[0], min=-5.0, p50=-5.0)
    write_document(clock.path, msgspec.structs.replace(document, metrics=(stepped,)))
    made(tmp_path, 1e300)
    made(tmp_path)
    found = history(tmp_path)
    assert [point.value for point in found.lines[0].trends[0].points] == [1.0, -1.0]
    assert [it.why for it in found.left_out] == [
        "it has negative values, as a clock that is set back makes them",
        "it has values too large to be compared",
        "it has no samples",
    ]


def test_p99_is_there_where_it_can_be(tmp_path: Path) -> None:
    made(tmp_path, *([1.0] * 300))
    made(tmp_path, *([1.0] * 30))
    assert [(trend.quantile, len(trend.points)) for trend in history(tmp_path).lines[0].trends] == [
        ("p50", 2), ("p99", 1),
    ]  # fmt: skip


def test_a_metric_that_no_run_has_is_told(tmp_path: Path) -> None:
    made(tmp_path, 1.0)
    with pytest.raises(UsageError, match="--metric x: no usable run has it; there are: m"):
        history(tmp_path, metrics=["x"])
