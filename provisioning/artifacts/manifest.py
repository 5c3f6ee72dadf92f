"""What is written beside a part's programs: their digests, and what lets the next call trust them unread."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Literal

import msgspec

SCHEMA = 1
Way = Literal["release", "build", "directory"]


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A program: its sha256 as hex, and the size and modification time that it had when it was hashed."""

    sha256: str
    size_bytes: int
    mtime_ns: int

    def matches(self, path: Path) -> bool:
        """Whether the file looks untouched since it was hashed; reads no content."""
        try:
            found = path.stat()
        except OSError:
            return False
        return found.st_size == self.size_bytes and found.st_mtime_ns == self.mtime_ns


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A part as it was fetched, built or found: ``provenance`` is for people, ``source`` a URL, module or folder."""

    part: str
    version: str
    arch: str
    way: Way
    provenance: str
    source: str
    made_at: str
    files: dict[str, FileFacts]
    schema: int = SCHEMA

    @property
    def id(self) -> str:
        """Sixteen hex digits that stand for all digests together."""
        lines = "".join(f"{facts.sha256}  {name}\n" for name, facts in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()[:16]


def sha256(path: Path) -> str:
    """The digest of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def facts_of(paths: dict[str, Path]) -> dict[str, FileFacts]:
    """Hash files by name; what several names lead to (the multi-call binary) is read once."""
    hashed: dict[Path, FileFacts] = {}
    for path in {path.resolve() for path in paths.values()}:
        found = path.stat()
        hashed[path] = FileFacts(sha256=sha256(path), size_bytes=found.st_size, mtime_ns=found.st_mtime_ns)
    return {name: hashed[path.resolve()] for name, path in paths.items()}


def read(path: Path) -> Manifest | None:
    """The manifest in a file; ``None`` when there is none, or none that this version understands."""
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None
    return manifest if manifest.schema == SCHEMA else None


def write(path: Path, manifest: Manifest) -> None:
    """Put the manifest there in one step and on the disk."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
