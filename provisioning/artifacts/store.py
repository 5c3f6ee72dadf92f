"""The cache: what was fetched or built, by version and digest. What is in it is whole; there is no half entry."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ...progress import Progress
from . import manifest as manifests
from .failure import writing
from .lock import alone
from .manifest import FileFacts, Manifest, Way
from .parts import Part

MANIFEST = "manifest.json"
DAMAGED = "damaged.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A part that is there: its programs lie in ``folder`` under their names."""

    folder: Path
    manifest: Manifest

    @property
    def size_bytes(self) -> int:
        """What the programs take on the disk; one that several names lead to counts once."""
        return sum({facts.sha256: facts.size_bytes for facts in self.manifest.files.values()}.values())

    @property
    def used_at(self) -> float:
        """When it was last provided, in seconds since the epoch; 0 when it is gone."""
        try:
            return (self.folder / MANIFEST).stat().st_mtime
        except OSError:
            return 0.0


@dataclass(frozen=True, slots=True)
class Store:
    """The cache below ``root``: ``store/`` (entries), ``sets/``, ``staging/`` (unfinished), ``locks/``."""

    root: Path

    def find(self, part: Part) -> Entry | None:
        """The entry to use for ``part``: an official release before a build, then the newest. Reads no program.

        A file whose time or size is not the recorded one is hashed again; an entry with a wrong digest is not found.
        """
        entries = (_trusted(entry) for entry in self._entries_of(part))
        usable = sorted((entry for entry in entries if entry), key=_preference)
        if not usable:
            return None
        with contextlib.suppress(OSError):  # a cache that is only readable serves as well
            os.utime(usable[-1].folder / MANIFEST)
        return usable[-1]

    def entries(self) -> list[Entry]:
        """All entries, whole ones and those found damaged by :meth:`condemn` left out; sorted by part and version."""
        found = (_read(folder) for folder in (self.root / "store").glob("*/*") if folder.is_dir())
        return sorted((entry for entry in found if entry), key=lambda entry: str(entry.folder))

    def add(self, part: Part, staged: Path, *, way: Way, provenance: str, source: str) -> Entry:
        """Take over the programs in ``staged`` (on the same file system) and forget the part's staging area.

        They are on the disk before the entry appears under its name by one rename. Raises ArtifactError when the file
        system refuses.
        """
        with writing(self.root, what=f"for {part.title}"):
            for path in (staged / name for name in part.binaries):
                path.chmod(0o755)
            manifest = Manifest(
                part=part.name,
                version=part.version,
                arch=part.arch,
                way=way,
                provenance=provenance,
                source=source,
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                files=manifests.facts_of({name: staged / name for name in part.binaries}),
            )
            manifests.write(staged / MANIFEST, manifest)
            _to_disk(staged)
            folder = self.root / "store" / part.key / manifest.id
            folder.parent.mkdir(parents=True, exist_ok=True)
            self.discard(folder)
            staged.rename(folder)
            self.discard(self.staging(part))
        return Entry(folder, manifest)

    def condemn(self, entry: Entry) -> None:
        """Never find this entry again: its content is not what was recorded. ``prune`` removes it."""
        (entry.folder / MANIFEST).rename(entry.folder / DAMAGED)

    def discard(self, folder: Path) -> None:
        """Remove a folder below ``root``: first from its name in one step, so that no reader sees half of it."""
        trash = self.root / "staging" / f".trash-{os.getpid()}-{folder.name}"
        trash.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(trash, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(trash)
            shutil.rmtree(trash)

    def staging(self, part: Part) -> Path:
        """Where the part's unfinished files lie; they outlive a killed process, and the next one goes on from them."""
        return self.root / "staging" / part.key

    def lock(self, part: Part, progress: Progress) -> AbstractContextManager[int]:
        """The lock under which the part is fetched or built. Raises ArtifactError when the cache cannot be written."""
        with writing(self.root, what=f"for {part.title}"):
            path = self.lock_path(part.key)
            path.parent.mkdir(parents=True, exist_ok=True)
        return alone(path, doing=part.title, progress=progress)

    def lock_path(self, key: str) -> Path:
        """The lock file of a part's key."""
        return self.root / "locks" / f"{key}.lock"

    def _entries_of(self, part: Part) -> Iterator[Entry]:
        for folder in (self.root / "store" / part.key).glob("*"):
            if entry := _read(folder):
                yield entry


def _read(folder: Path) -> Entry | None:
    manifest = manifests.read(folder / MANIFEST)
    return Entry(folder, manifest) if manifest else None


def _preference(entry: Entry) -> tuple[bool, str]:
    return entry.manifest.way == "release", entry.manifest.made_at


def _trusted(entry: Entry) -> Entry | None:
    """The entry if its files are what was recorded; times that a copy of the cache changed are recorded anew."""
    paths = {name: entry.folder / name for name in entry.manifest.files}
    if all(facts.matches(paths[name]) for name, facts in entry.manifest.files.items()):
        return entry
    try:
        found = manifests.facts_of(paths)
    except OSError:
        return None
    if _digests(found) != _digests(entry.manifest.files):
        return None
    renewed = msgspec.structs.replace(entry.manifest, files=found)
    with contextlib.suppress(OSError):
        manifests.write(entry.folder / MANIFEST, renewed)
    return Entry(entry.folder, renewed)


def _digests(files: dict[str, FileFacts]) -> dict[str, str]:
    return {name: facts.sha256 for name, facts in files.items()}


def _to_disk(folder: Path) -> None:
    for path in [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()] + [folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
