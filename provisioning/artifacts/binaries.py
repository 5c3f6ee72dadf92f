"""What a caller gets: one folder with every program in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .failure import writing
from .parts import TITLES, PartName
from .store import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """Programs of versions that fit together, ready to be run.

    ``folder`` holds each under its name as a relative link into the cache or the user's directory; ``digests`` are
    sha256 as hex by name; ``provenance`` says where they are from, for a report.
    """

    kubernetes: str
    etcd: str
    kwok: str
    folder: Path
    digests: dict[str, str]
    provenance: str


def assemble(sets: Path, entries: Sequence[Entry]) -> Binaries:
    """Link the programs of ``entries`` (one per part) into one folder below ``sets``, which is reused when it is there.

    Raises :class:`~idcbench.errors.ArtifactError` when the cache cannot be written.
    """
    targets = {name: entry.folder / name for entry in entries for name in entry.manifest.files}
    by_part = {entry.manifest.part: entry.manifest for entry in entries}
    return Binaries(
        kubernetes=by_part["kubernetes"].version,
        etcd=by_part["etcd"].version,
        kwok=by_part["kwok"].version,
        folder=_linked(sets, targets),
        digests={name: facts.sha256 for entry in entries for name, facts in entry.manifest.files.items()},
        provenance=_provenance({TITLES[_name(entry)]: entry.manifest.provenance for entry in entries}),
    )


def _name(entry: Entry) -> PartName:
    return next(name for name in TITLES if name == entry.manifest.part)


def _provenance(by_title: dict[str, str]) -> str:
    """``official release`` when all parts say so; otherwise each with its parts: ``… (Kubernetes, etcd), … (KWOK)``."""
    said = sorted(set(by_title.values()), key=list(by_title.values()).index)
    if len(said) == 1:
        return said[0]
    return "; ".join(f"{', '.join(t for t, p in by_title.items() if p == one)}: {one}" for one in said)


def _linked(sets: Path, targets: dict[str, Path]) -> Path:
    """The folder of links, named after what it leads to; made in one step."""
    key = hashlib.sha256("\n".join(f"{name} {path}" for name, path in sorted(targets.items())).encode()).hexdigest()[
        :16
    ]
    folder = sets / key
    links = {name: os.path.relpath(path, folder) for name, path in targets.items()}
    if _holds(folder, links):
        return folder
    with writing(sets, what="(links to the programs)"):
        sets.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(dir=sets, prefix="."))
        for name, target in links.items():
            (fresh / name).symlink_to(target)
        fresh.chmod(0o755)
        try:
            fresh.rename(folder)
        except OSError:
            shutil.rmtree(fresh)
            if not _holds(folder, links):  # another process made the same folder first
                raise
    return folder


def _holds(folder: Path, links: dict[str, str]) -> bool:
    try:
        return all((folder / name).readlink() == Path(target) for name, target in links.items())
    except OSError:
        return False
