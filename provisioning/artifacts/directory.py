"""The user's own binaries: used where they lie, checked once, remembered by size and time."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ...errors import UsageError
from ...progress import Progress
from . import manifest as manifests
from .failure import WayFailedError
from .manifest import Manifest
from .parts import BINARIES, TITLES, Part, ask_version
from .store import Entry
from .versions import Versions

_PLACES = (".", "bin", "kubernetes/server/bin", "etcd-v*-linux-*")
"""Flat, or as the official archives unpack."""


def in_directory(part: Part, *, directory: Path, wanted: Versions, cache: Path, progress: Progress) -> Entry | None:
    """The part from the user's directory; ``None`` when nothing of it is there.

    The directory decides the patch when only a minor version was asked for, and always the version of etcd and KWOK.
    Raises :class:`~idcbench.errors.UsageError` when only some of its programs are there, when they are not of one
    version or not of the one asked for, and when one cannot be run.
    """
    place = _place_of(part, directory)
    if place is None:
        return None
    memo = cache / "directories" / f"{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}-{part.name}.json"
    manifest = manifests.read(memo)
    if manifest is None or not all(facts.matches(place / name) for name, facts in manifest.files.items()):
        progress(f"checking {TITLES[part.name]} in {directory}")
        manifest = _look(part, place, directory)
        with contextlib.suppress(OSError):  # a cache that cannot be written only costs this look again
            memo.parent.mkdir(parents=True, exist_ok=True)
            manifests.write(memo, manifest)
    if part.name == "kubernetes":
        _fits(manifest, wanted, directory)
    return Entry(place, manifest)


def _place_of(part: Part, directory: Path) -> Path | None:
    """The folder that holds all programs of the part."""
    most: list[str] = []
    for place in _places(directory):
        there = [name for name in part.binaries if (place / name).is_file()]
        if len(there) == len(part.binaries):
            return place
        most = max(most, there, key=len)
    if most:
        missing = [name for name in BINARIES[part.name] if name not in most]
        raise UsageError(
            f"--artifacts {directory} holds {', '.join(most)} but not {', '.join(missing)}; "
            f"add what is missing, or take all of {TITLES[part.name]} out"
        )
    return None


def _places(directory: Path) -> Iterator[Path]:
    for pattern in _PLACES:
        if pattern == ".":
            yield directory.resolve()
        else:
            yield from sorted(path for path in directory.resolve().glob(pattern) if path.is_dir())


def _look(part: Part, place: Path, directory: Path) -> Manifest:
    """Ask each program for its version, and hash it."""
    paths = {name: place / name for name in part.binaries}
    try:
        versions = {name: ask_version(path) for name, path in paths.items()}
    except WayFailedError as failure:
        raise UsageError(f"--artifacts {directory}: {failure.reason}") from failure
    if len(set(versions.values())) > 1:
        said = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise UsageError(f"--artifacts {directory}: the programs are not of one version ({said}); use one release")
    return Manifest(
        part=part.name,
        version=versions[part.binaries[0]],
        arch=part.arch,
        way="directory",
        provenance="given by the user",
        source=str(directory),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        files=manifests.facts_of(paths),
    )


def _fits(manifest: Manifest, wanted: Versions, directory: Path) -> None:
    """Raise UsageError unless the programs are of the version that was asked for."""
    asked = wanted.kubernetes if wanted.patch_given else wanted.minor
    if manifest.version != asked and not (not wanted.patch_given and manifest.version.startswith(f"{asked}.")):
        raise UsageError(
            f"--artifacts {directory} holds Kubernetes {manifest.version}, but {asked} was asked for; "
            f"ask for {manifest.version} or name another directory"
        )
