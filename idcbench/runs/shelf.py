"""All runs under a folder: what there is, and what may go."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import RunError, UsageError
from .directory import LATEST
from .document import read_document
from .index import Reader
from .schema import RunDocument

GONE = ".gone"
_RUN = re.compile(r"\d{4,}_.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """A run directory; ``document`` is ``None`` when its run.json cannot be read, and ``trouble`` says why."""

    path: Path
    document: RunDocument | None
    trouble: str

    @property
    def size_bytes(self) -> int:
        """Of all its files now, which are many."""
        return _size(self.path)

    @property
    def ended(self) -> bool:
        """Whether it came to its end: one that did not may be going on."""
        return self.document is not None and self.document.ended is not None


def shelved(root: Path, target: str = "", *, read: Reader = read_document) -> list[Shelved]:
    """The runs of ``target`` (of all when empty), by target and number; ``read`` gives the run.json of one.

    Raises :class:`UsageError` when there is no such target.
    """
    folders = _targets(root)
    if target:
        there = ", ".join(folder.name for folder in folders) or "none"
        folders = [folder for folder in folders if folder.name == target.rstrip("/")]
        if not folders:
            raise UsageError(f"{target}: no such target under {root}; there are: {there}")
    return [_look(path, read) for folder in folders for path in _runs(folder)]


def disposable(runs: Sequence[Shelved], *, keep: int) -> list[Shelved]:
    """What is older than the ``keep`` newest of its target.

    One that has not ended stays, as it may be going on, and so does the one that ``latest`` names.
    """
    gone: list[Shelved] = []
    for folder in sorted({run.path.parent for run in runs}):
        here = [run for run in runs if run.path.parent == folder]
        latest = (folder / LATEST).resolve().name
        gone += [run for run in here[: max(0, len(here) - keep)] if run.ended and run.path.name != latest]
    return gone


def dispose(run: Shelved) -> None:
    """Delete it. Moved aside first, so that a reader sees the whole run or none. Raises :class:`RunError`.

    One that is gone already was somebody else's to delete.
    """
    aside = run.path.with_name(f".{run.path.name}{GONE}")
    try:
        if run.path.is_symlink():
            run.path.unlink()
            return
        _remove(aside)  # a former attempt was cut off
        run.path.rename(aside)
        _remove(aside)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{run.path}: cannot be deleted: {error.strerror or error}") from error


def sweep(root: Path, target: str = "") -> None:
    """Finish what deletions that were cut off have left. Raises :class:`RunError`."""
    for aside in root.glob(f"{target or '*'}/.*{GONE}"):
        try:
            _remove(aside)
        except OSError as error:
            raise RunError(f"{aside}: cannot be deleted: {error.strerror or error}") from error


def _remove(folder: Path) -> None:
    """All of it, also when another does the same at the same time."""

    def unless_gone(_: object, __: str, failed: tuple[type[BaseException], BaseException, object]) -> None:
        if not isinstance(failed[1], FileNotFoundError):
            raise failed[1]

    shutil.rmtree(folder, onerror=unless_gone)


def _targets(root: Path) -> list[Path]:
    """None where there is no root yet."""
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{error.filename or root}: cannot be read: {error.strerror}") from error


def _runs(folder: Path) -> Iterator[Path]:
    try:
        there = [
            path for path in folder.iterdir() if path.name != LATEST and _RUN.fullmatch(path.name) and path.is_dir()
        ]
    except OSError as error:
        raise RunError(f"{folder}: cannot be read: {error.strerror}") from error
    return iter(sorted(there, key=lambda path: int(path.name.partition("_")[0])))


def _look(path: Path, read: Reader) -> Shelved:
    try:
        return Shelved(path=path, document=read(path), trouble="")
    except (RunError, OSError) as error:
        return Shelved(path=path, document=None, trouble=str(error))


def _size(path: Path) -> int:
    """Of all files; of what vanishes meanwhile, nothing."""
    total = 0
    for file in path.rglob("*"):
        with contextlib.suppress(OSError):
            total += file.lstat().st_size if file.is_file() else 0
    return total
