"""Rounds that are left for who finishes the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.errors import RunError
from idcbench.runs.directory import create_run
from idcbench.runs.handover import FILE, Round, hand_over, handed_over
from idcbench.runs.schema import Check


def test_what_is_left_comes_back_with_its_round(tmp_path: Path) -> None:
    run = create_run(tmp_path, target_id="t").path
    check = Check(nodeid="test_a.py::test_a", outcome="passed")
    hand_over(Round(run=run, number=1), [check], complete=True)
    hand_over(Round(run=run, number=2), [check, check], complete=False)
    with (run / FILE).open("ab") as file:
        file.write(b'{"number":3,"comp')
    first, second = handed_over(run)
    assert (first.number, first.complete, [one.round for one in first.checks]) == (1, True, [1])
    assert (second.number, second.complete, [one.round for one in second.checks]) == (2, False, [2, 2])


def test_a_run_without_rounds_has_left_nothing(tmp_path: Path) -> None:
    assert handed_over(create_run(tmp_path, target_id="t").path) == []


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="make room or make it writable"):
        hand_over(Round(run=tmp_path / "gone", number=1), [], complete=True)
