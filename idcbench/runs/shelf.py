"""All runs under a folder: what there is, and what may go."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..errors import RunError, UsageError
from .directory import LATEST
from .document import read_document
from .schema import RunDocument

_RUN = re.compile(r"\d{4,}_.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """A run directory; ``document`` is ``None`` when its run.json cannot be read, and ``trouble`` says why."""

    path: Path
    document: RunDocument | None
    trouble: str
    size_bytes: int

    @property
    def ended(self) -> bool:
        """Whether it came to its end: one that did not may be going on."""
        return self.document is not None and self.document.ended is not None


def shelved(root: Path, target: str = "") -> list[Shelved]:
    """The runs of ``target`` (of all when empty), by target and number. Raises :class:`UsageError` when it has none."""
    folders = [root / target] if target else sorted(path for path in root.glob("*") if path.is_dir())
    if target and not folders[0].is_dir():
        there = ", ".join(sorted(path.name for path in root.glob("*") if path.is_dir())) or "none"
        raise UsageError(f"{target}: no such target under {root}; there are: {there}")
    return [_look(path) for folder in folders for path in _runs(folder)]


def disposable(runs: Sequence[Shelved], *, keep: int) -> list[Shelved]:
    """What is older than the ``keep`` newest of its target. One that has not ended stays: it may be going on."""
    gone: list[Shelved] = []
    for folder in sorted({run.path.parent for run in runs}):
        here = [run for run in runs if run.path.parent == folder]
        gone += [run for run in here[: max(0, len(here) - keep)] if run.ended]
    return gone


def dispose(run: Shelved) -> None:
    """Delete it. Moved aside first, so that a reader sees the whole run or none. Raises :class:`RunError`."""
    aside = run.path.with_name(f".{run.path.name}.gone")
    try:
        if aside.exists():  # a former attempt was cut off
            shutil.rmtree(aside)
        run.path.rename(aside)
        shutil.rmtree(aside)
    except OSError as error:
        raise RunError(f"{run.path}: cannot be deleted: {error.strerror}") from error


def _runs(folder: Path) -> Iterator[Path]:
    found = [path for path in folder.iterdir() if path.is_dir() and path.name != LATEST and _RUN.fullmatch(path.name)]
    return iter(sorted(found, key=lambda path: int(path.name.partition("_")[0])))


def _look(path: Path) -> Shelved:
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    try:
        return Shelved(path=path, document=read_document(path), trouble="", size_bytes=size)
    except (RunError, msgspec.ValidationError) as error:
        return Shelved(path=path, document=None, trouble=str(error), size_bytes=size)
