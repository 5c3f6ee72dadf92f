"""Keeping the cache in order: what is damaged is found, what is old is removed."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...progress import Progress, silent
from .failure import writing
from .lock import alone_if_free
from .manifest import sha256
from .store import Entry, Store

_HALF_MADE_S = 3600
"""A folder of links that was begun longer ago than this has nobody who finishes it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An entry whose programs were read again; ``damaged`` names those that are not what was recorded."""

    entry: Entry
    damaged: tuple[str, ...]


def verify(store: Store, entries: Iterable[Entry], *, progress: Progress = silent) -> list[Verdict]:
    """Hash the programs of entries again. A damaged entry is not used any more from then on."""
    verdicts = []
    for entry in entries:
        progress(f"reading {entry.manifest.part} {entry.manifest.version}")
        verdict = Verdict(entry, tuple(_damaged(entry)))
        if verdict.damaged:
            with writing(store.root, what="to mark what is damaged"):
                store.condemn(entry)
        verdicts.append(verdict)
    return verdicts


def _damaged(entry: Entry) -> Iterator[str]:
    found: dict[Path, str] = {}
    for name, facts in entry.manifest.files.items():
        path = (entry.folder / name).resolve()
        try:
            found[path] = found.get(path) or sha256(path)
        except OSError:
            yield name
            continue
        if found[path] != facts.sha256:
            yield name


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of something in the cache: removed, or left because of ``reason``."""

    what: str
    size_bytes: int
    reason: str = ""


def prune(store: Store, *, keep: int) -> list[Pruned]:
    """Remove what is not among the ``keep`` last used entries of each part, and all that is damaged or unfinished.

    What a process runs from or works at is left. Raises ArtifactError when the cache cannot be written.
    """
    if not store.root.is_dir():
        return []
    with writing(store.root, what="to remove what is old"):
        (store.root / "locks").mkdir(exist_ok=True)
        done = [_remove(store, entry.folder, _title(entry)) for entry in _old(store.entries(), keep)]
        whole = {entry.folder for entry in store.entries()}
        rest = [folder for folder in (store.root / "store").glob("*/*") if folder not in whole]
        done += [_remove(store, folder, f"damaged {folder.parent.name}") for folder in rest if folder.exists()]
        done += list(_unfinished(store))
        done += list(_unused_for_bundles(store))
        _forget_links(store)
    return [one for one in done if one is not None]


def _old(entries: list[Entry], keep: int) -> Iterator[Entry]:
    for part in sorted({entry.manifest.part for entry in entries}):
        of_part = [entry for entry in entries if entry.manifest.part == part]
        yield from sorted(of_part, key=lambda entry: entry.used_at, reverse=True)[keep:]


def _title(entry: Entry) -> str:
    return f"{entry.manifest.part} {entry.manifest.version} ({entry.manifest.provenance})"


def _remove(store: Store, folder: Path, what: str) -> Pruned:
    size_bytes = _size(folder)
    if pid := _runs_from(folder):
        return Pruned(what, size_bytes, f"in use by process {pid}")
    with alone_if_free(store.lock_path(folder.parent.name)) as free:
        if not free:
            return Pruned(what, size_bytes, "another idcbench is providing it")
        store.discard(folder)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()
    return Pruned(what, size_bytes)


def _unfinished(store: Store) -> Iterator[Pruned]:
    for folder in sorted((store.root / "staging").glob("*")):
        if folder.name.startswith(".trash-"):
            shutil.rmtree(folder, ignore_errors=True)
            continue
        with alone_if_free(store.lock_path(folder.name)) as free:
            size_bytes = _size(folder)
            if free:
                store.discard(folder)
        yield Pruned(f"unfinished {folder.name}", size_bytes, "" if free else "another idcbench is at work on it")


def _unused_for_bundles(store: Store) -> Iterator[Pruned]:
    """What bundles were made of, unless it was of late: packages and compressed files, made again when wanted."""
    for folder in (store.root / "pressed", store.root / "apt"):
        if folder.is_dir() and time.time() - folder.stat().st_mtime > _HALF_MADE_S:
            size_bytes = _size(folder)
            store.discard(folder)
            yield Pruned(f"{folder.name} of bundles", size_bytes)


def _forget_links(store: Store) -> None:
    """Remove folders of links that lead nowhere, or that nobody finished."""
    for folder in (store.root / "sets").glob("*"):
        begun = folder.name.startswith(".")
        with contextlib.suppress(OSError):
            late = time.time() - folder.stat().st_mtime > _HALF_MADE_S
            if (begun and late) or (not begun and not all(link.exists() for link in folder.iterdir())):
                shutil.rmtree(folder)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _runs_from(folder: Path) -> int | None:
    """A process whose program lies in ``folder``, as far as we may see."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "exe").readlink().is_relative_to(folder):
                return int(process.name)
    return None
