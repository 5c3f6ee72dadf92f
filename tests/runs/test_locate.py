"""Which run is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.errors import RunError
from idcbench.runs.directory import create_run
from idcbench.runs.locate import locate_run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / ".idcbench"
    for target, name in (("embedded", "run"), ("embedded", "again"), ("kind", "run")):
        create_run(root, target_id=target, name=name)
    return root


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("embedded", "embedded/0002_again"),
        ("embedded/latest", "embedded/0002_again"),
        ("embedded/0001_run", "embedded/0001_run"),
        ("embedded/1", "embedded/0001_run"),
        ("0002", "embedded/0002_again"),
        ("kind/1", "kind/0001_run"),
        ("", "kind/0001_run"),
    ],
)
def test_a_run_is_found(root: Path, said: str, found: str) -> None:
    assert locate_run(root, said).path == root / found


def test_a_path_is_a_run_too(root: Path, tmp_path: Path) -> None:
    path = root / "embedded" / "0001_run"
    assert locate_run(tmp_path / "nowhere", str(path)).path == path
    assert locate_run(tmp_path / "nowhere", str(path / "run.json")).path == path


@pytest.mark.parametrize(
    ("said", "message"),
    [("1", "2 runs have that number"), ("9", "9: no such run; there are embedded/0001_run"), ("x*", "no such run")],
)
def test_what_is_not_clear_is_said(root: Path, said: str, message: str) -> None:
    with pytest.raises(RunError, match=message):
        locate_run(root, said)


def test_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run is here yet"):
        locate_run(tmp_path, "")
