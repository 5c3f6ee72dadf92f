"""A run as one archive: everything that is in its directory, for somebody else, and read again there.

A gzipped tar with one folder. The same run gives the same bytes. What is read again comes from anybody, so nothing in
it is trusted: names stay below their folder, and sizes are bounded.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import RunError
from .directory import Run, open_run
from .document import DOCUMENT

SUFFIXES = (".tar.gz", ".tgz")
FILES_MOST = 100_000
BYTES_MOST = 4 << 30
"""A run with 10,000 pods and every request of its probes has some 100 MB."""
SECRET_MARKS = (b"PRIVATE KEY-----", b"client-key-data:", b"token-secret:")
"""What a key, a kubeconfig or a token would show; none of it is ever written into a run."""


def is_archive(path: Path) -> bool:
    """By its name."""
    return path.name.endswith(SUFFIXES)


def pack(run: Run, to: Path) -> Path:
    """Write the archive ``to``; returns it. Raises :class:`RunError`, also for a file that seems to hold a secret."""
    if not is_archive(to):
        raise RunError(f"{to}: a name that ends in {' or '.join(SUFFIXES)} is wanted for an archive")
    draft = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        with (
            draft.open("wb") as file,
            gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as pressed,
            tarfile.open(fileobj=pressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for path in _files(run.path):
                _add(archive, run.path, path)
        draft.replace(to)
    except OSError as error:
        raise RunError(
            f"{to}: cannot be written: {error.strerror or error}; name another file, or make room"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return to


def unpack(archive: Path, *, cache: Path | None = None) -> Run:
    """The run in an archive, unpacked into the cache by what it is, once. Raises :class:`RunError`."""
    try:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        folder = (cache or _cache()) / digest
        if not folder.is_dir():
            _extract(archive, folder)
    except (OSError, EOFError, tarfile.TarError, gzip.BadGzipFile) as error:
        raise RunError(
            f"{archive}: not the archive of a run, or damaged ({error}); `idcbench report RUN --bundle FILE` makes one"
        ) from error
    found = sorted(path.parent for path in folder.glob(f"*/{DOCUMENT}"))
    if len(found) != 1:
        raise RunError(f"{archive}: one run is expected in it, {len(found)} are there")
    return open_run(found[0])


def _files(folder: Path) -> Iterator[Path]:
    """Plain files, in one order; links lead elsewhere and are left out."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _add(archive: tarfile.TarFile, run: Path, path: Path) -> None:
    content = path.read_bytes()
    if any(mark in content for mark in SECRET_MARKS):
        raise RunError(f"{path}: holds what looks like a secret; take it out of the run before you pass the run on")
    info = tarfile.TarInfo(f"{run.name}/{path.relative_to(run)}")
    info.size, info.mode = len(content), 0o644
    archive.addfile(info, io.BytesIO(content))


def _extract(archive: Path, folder: Path) -> None:
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    draft.mkdir(parents=True)
    try:
        with tarfile.open(archive, mode="r:gz") as opened:
            opened.extractall(draft, members=_bounded(opened, archive), filter="data")
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _bounded(opened: tarfile.TarFile, archive: Path) -> Iterator[tarfile.TarInfo]:
    total = 0
    for number, member in enumerate(opened):
        total += member.size
        if number >= FILES_MOST or total > BYTES_MOST:
            raise RunError(f"{archive}: unpacks to more than {FILES_MOST:,} files or {BYTES_MOST >> 30} GiB; not a run")
        if not (member.isfile() or member.isdir()):
            raise RunError(f"{archive}: {member.name} is neither a file nor a folder; not a run")
        yield member


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "idcbench" / "runs"
