"""The index of runs: what it says is what the files say, whatever state it is in."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest

from idcbench.errors import RunError
from idcbench.runs import index
from idcbench.runs.directory import Run, create_run
from idcbench.runs.document import read_document, write_document
from idcbench.runs.index import FILE, indexed
from idcbench.runs.schema import Check, RunDocument, TestCounts, Validity
from idcbench.runs.shelf import shelved


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for _ in range(3):
        made(tmp_path)
    return tmp_path


def made(root: Path) -> Run:
    run = create_run(root, target_id="embedded")
    run.series("m", unit="ms", better="lower").add_many([1.0, 2.0])
    checks = (Check(nodeid="a", outcome="passed"),)
    run.finish(tests=TestCounts(passed=1), checks=checks, facts={}, options={}, validity=Validity())
    return run


def documents(root: Path) -> list[RunDocument | None]:
    with indexed(root) as read:
        return [run.document for run in shelved(root, read=read)]


def truth(root: Path) -> list[RunDocument | None]:
    return [run.document and msgspec.structs.replace(run.document, checks=()) for run in shelved(root)]


def test_the_second_time_no_file_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = truth(root)
    assert documents(root) == expected
    monkeypatch.setattr(index, "read_document", lambda folder: pytest.fail(f"{folder} was read"))
    assert documents(root) == expected


def test_a_run_that_changed_came_or_went_is_seen(root: Path) -> None:
    documents(root)
    first = root / "embedded" / "0001_run"
    write_document(first, msgspec.structs.replace(read_document(first), name="other"))
    (root / "embedded" / "0002_run" / "run.json").unlink()
    made(root)
    assert documents(root) == truth(root)
    with sqlite3.connect(root / FILE) as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (3,)
    database.close()


@pytest.mark.parametrize("content", [b"", b"garbage " * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_an_index_that_is_none_is_made_anew(root: Path, content: bytes) -> None:
    (root / FILE).write_bytes(content)
    assert documents(root) == truth(root)
    assert index._load(root / FILE).keys() == {f"embedded/000{number}_run" for number in (1, 2, 3)}


def test_an_index_of_another_shape_and_one_of_lies_are_made_anew(root: Path) -> None:
    documents(root)
    with sqlite3.connect(root / FILE) as database:
        database.execute("UPDATE runs SET document = x'c1'")
    database.close()
    assert documents(root) == truth(root)
    with sqlite3.connect(root / FILE) as database:
        database.executescript("DROP TABLE runs; CREATE TABLE runs (x); PRAGMA user_version = 1")
    database.close()
    assert documents(root) == truth(root)
    assert len(index._load(root / FILE)) == 3


def test_it_is_cut_in_the_middle(root: Path) -> None:
    documents(root)
    os.truncate(root / FILE, (root / FILE).stat().st_size // 2)
    assert documents(root) == truth(root)


@pytest.mark.parametrize("blocked", ["a folder", "locked"])
def test_without_an_index_the_files_are_read(root: Path, blocked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_WAIT_S", 0.01)
    if blocked == "a folder":
        (root / FILE).mkdir()
        assert documents(root) == truth(root)
        return
    holder = sqlite3.connect(root / FILE, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert documents(root) == truth(root)
    finally:
        holder.close()


def test_several_processes_make_it_at_once(root: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(documents, [root] * 8))
    assert all(each == truth(root) for each in found)
    assert len(index._load(root / FILE)) == 3


def test_what_cannot_be_read_is_told_as_without_it(root: Path) -> None:
    (root / "embedded" / "0002_run" / "run.json").write_bytes(b"")
    for _ in range(2):
        with indexed(root) as read, pytest.raises(RunError, match="damaged or not of idcbench"):
            read(root / "embedded" / "0002_run")
