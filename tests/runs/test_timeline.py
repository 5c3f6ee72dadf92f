"""The timeline: whole lines, in the order of their times."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path, PurePath

import pytest

from idcbench.errors import RunError
from idcbench.runs import timeline


def test_events_come_by_time_and_a_cut_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    timeline.append(path, "later", at_ns=20, host="cp1")
    timeline.append(path, "earlier", at_ns=10, file=PurePath("/x"))
    with path.open("ab") as file:
        file.write(b'["not an event"]\n{"at_ns": 30, "what": "cut o')
    assert timeline.read(path) == [
        {"at_ns": 10, "what": "earlier", "file": "/x"},
        {"at_ns": 20, "what": "later", "host": "cp1"},
    ]


def test_now_is_the_monotonic_clock(tmp_path: Path) -> None:
    before = time.monotonic_ns()
    timeline.append(tmp_path / "t", "x")
    assert before <= timeline.read(tmp_path / "t")[0]["at_ns"] <= time.monotonic_ns()


def test_no_file_is_no_events(tmp_path: Path) -> None:
    assert timeline.read(tmp_path / "none") == []


def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "t"
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_write, args=(path, number)) for number in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    events = timeline.read(path)
    assert sorted((event["by"], event["at_ns"]) for event in events) == [(b, n) for b in (0, 1) for n in range(300)]
    assert all(event["text"] == str(event["by"]) * 9000 for event in events)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be appended to"):
        timeline.append(tmp_path / "no" / "t", "x")


def _write(path: Path, number: int) -> None:
    for at_ns in range(300):
        timeline.append(path, "x", at_ns=at_ns, by=number, text=str(number) * 9000)
