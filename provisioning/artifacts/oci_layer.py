"""Layers of an image: files in a tar that is the same whenever its content is the same."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

STAMP_S = 1_750_000_000
"""The time that every file has; numba keeps a kernel by the time of its source, so it has to be one for all builds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, a link (``target``) or, with neither content nor target, a directory. Owned by root."""

    content: bytes | None = None
    target: str | None = None
    mode: int = 0o644


Entries = dict[str, Entry]
"""By path, relative to the root, without ``./``."""


@dataclass(frozen=True, slots=True)
class Layer:
    """``digest`` is of what is stored, ``diff_id`` of what it unpacks to."""

    blob: bytes
    digest: str
    diff_id: str


def layer(entries: Mapping[str, Entry]) -> Layer:
    """Pack the entries, in the order of their paths, with the directories above them."""
    packed = _tar(with_parents(entries))
    stored = io.BytesIO()
    with gzip.GzipFile(fileobj=stored, mode="wb", compresslevel=6, mtime=0, filename="") as squeezed:
        squeezed.write(packed)
    blob = stored.getvalue()
    return Layer(blob, digest_of(blob), digest_of(packed))


def digest_of(blob: bytes) -> str:
    """As OCI writes it."""
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def with_parents(entries: Mapping[str, Entry]) -> Entries:
    """The entries and a directory for every path above one."""
    found = dict(entries)
    for path in entries:
        for parent in PurePosixPath(path).parents:
            if str(parent) != ".":
                found.setdefault(str(parent), Entry(mode=0o755))
    return found


def tree(folder: Path, *, below: str) -> Entries:
    """All files under ``folder``, links within followed, as they are to lie ``below`` the root."""
    return {
        f"{below}/{path.relative_to(folder).as_posix()}": Entry(
            path.read_bytes(), mode=0o755 if path.stat().st_mode & 0o100 else 0o644
        )
        for path in sorted(_files(folder))
    }


def read_tar(archive: tarfile.TarFile) -> Iterator[tuple[str, Entry]]:
    """The files, links and directories of a tar; devices are left out. Raises ``ValueError`` for a path that climbs."""
    hard: dict[str, Entry] = {}
    for member in archive:
        path = _path(member.name)
        if not path:
            continue
        if member.isdir():
            yield path, Entry(mode=member.mode & 0o7777)
        elif member.issym():
            yield path, Entry(target=member.linkname, mode=0o777)
        elif member.islnk():
            yield path, hard[_path(member.linkname)]
        elif member.isfile():
            content = archive.extractfile(member)
            hard[path] = Entry(content.read() if content else b"", mode=member.mode & 0o7777)
            yield path, hard[path]


def lay_out(entries: Mapping[str, Entry], root: Path) -> None:
    """Write the entries below ``root``, as a runtime would unpack them."""
    for path, entry in sorted(with_parents(entries).items()):
        place = root / path
        if entry.target is not None:
            place.symlink_to(entry.target)
        elif entry.content is None:
            place.mkdir(exist_ok=True)
        else:
            place.write_bytes(entry.content)
            place.chmod(entry.mode)
            os.utime(place, (STAMP_S, STAMP_S))


def _files(folder: Path) -> Iterable[Path]:
    for path in folder.iterdir():
        if path.name == "__pycache__":
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _path(name: str) -> str:
    parts = [part for part in PurePosixPath(name).parts if part not in (".", "/")]
    if ".." in parts:
        raise ValueError(f"{name!r} in an archive leads out of it")
    return "/".join(parts)


def _tar(entries: Mapping[str, Entry]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, entry in sorted(entries.items()):
            member = tarfile.TarInfo(path)
            member.mtime, member.mode = STAMP_S, entry.mode
            if entry.target is not None:
                member.type, member.linkname = tarfile.SYMTYPE, entry.target
                archive.addfile(member)
            elif entry.content is None:
                member.type = tarfile.DIRTYPE
                archive.addfile(member)
            else:
                member.size = len(entry.content)
                archive.addfile(member, io.BytesIO(entry.content))
    return packed.getvalue()
