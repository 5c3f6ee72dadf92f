"""Go programs of our own are compiled once per content."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from idcbench.errors import ArtifactError
from idcbench.provisioning.artifacts.own_go import own_program

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")


def sources(folder: Path, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "go.mod").write_text("module idcbench/greet\n\ngo 1.21\n")
    (folder / "main.go").write_text(f'package main\n\nfunc main() {{ println("{says}") }}\n')
    return folder


def said(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stderr.strip()


def test_compiled_when_new_and_then_kept(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    program = own_program(sources(tmp_path / "greet", "hello"), cache=cache)
    assert said(program) == "hello"
    stamp = program.stat().st_mtime_ns
    assert own_program(sources(tmp_path / "greet", "hello"), cache=cache) == program
    assert program.stat().st_mtime_ns == stamp
    other = own_program(sources(tmp_path / "greet", "goodbye"), cache=cache)
    assert (said(other), said(program)) == ("goodbye", "hello")


def test_a_mistake_is_told_in_the_compilers_words(tmp_path: Path) -> None:
    folder = sources(tmp_path / "greet", "hello")
    (folder / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    with pytest.raises(ArtifactError, match="undefined: nonsense"):
        own_program(folder, cache=tmp_path / "cache")
