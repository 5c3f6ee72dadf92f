"""The folder for credentials, of which several processes that start at once make one each and clear what was left."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from idcbench.kube import official


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_holds_is_not(runtime: Path) -> None:
    left, held = (runtime / f"idcbench-credentials-{os.getuid()}-{name}" for name in ("left", "held"))
    for folder in (left, held):
        folder.mkdir()
    lock = official._lock(held)
    assert lock is not None
    mine = official.private_folder.__wrapped__()
    assert set(runtime.iterdir()) == {held, mine}
    os.close(lock)


def test_a_folder_that_another_process_removes_at_that_moment_is_no_error(runtime: Path) -> None:
    official._remove_if_left(runtime / "gone")


def test_a_folder_that_was_taken_for_left_behind_is_made_anew(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(**given: str) -> str:
        made.append(real(**given))  # type: ignore[call-overload]
        if len(made) == 1:
            shutil.rmtree(made[0])
        return made[-1]

    real = tempfile.mkdtemp
    monkeypatch.setattr(official.tempfile, "mkdtemp", make)
    mine = official.private_folder.__wrapped__()
    assert str(mine) == made[1]
    assert mine.is_dir()
    assert runtime in mine.parents
