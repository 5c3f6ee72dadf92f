"""Bringing files to a host: one stream for all of them, whole or not at all."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Sequence

from ...hosts.ssh import SshHost
from ..artifacts.bundle import Bundle
from ..artifacts.bundle_schema import BundleEntry
from . import paths
from .scripts import BLOBS
from .wanted import WantedFile

COPY_S = 900.0
"""For some hundred megabytes to all hosts at once, also over a slow line."""
STAGING = f"{paths.STATE}/staging"
UNPACK = """\
set -eu
umask 077
rm -rf "$1.new"; mkdir -p "$1" "$1.new"
tar --extract --file=- --directory="$1.new" --no-same-owner
find "$1.new" -type f -exec mv --target-directory="$1" {} +
rmdir "$1.new"
"""
"""What is in the folder is whole: a stream that was cut off leaves nothing in it."""
PLACE = """\
set -eu
umask 077
staging=$1
rm -rf "$staging"; mkdir -p "$staging"
tar --extract --file=- --directory="$staging" --no-same-owner --preserve-permissions
cd "$staging"
find . -type f | while read -r file; do
    to=/${file#./}
    [ -d "$(dirname "$to")" ] || (umask 022; mkdir -p "$(dirname "$to")")
    mv -T "$file" "$to.idcbench-new"
    sync "$to.idcbench-new"
    mv -T "$to.idcbench-new" "$to"
done
cd /; rm -rf "$staging"
"""
"""Each file is on the disk before it gets its name, so that a reader has the old one or the new one."""
IMPORT = "ctr --namespace k8s.io images import --all-platforms --digests - >/dev/null"


async def place_files(host: SshHost, files: Sequence[WantedFile]) -> None:
    """Write files, each whole or not. Raises as ``host.run`` and :class:`~idcbench.hosts.completed.CommandError`."""
    stream = tar([(file.path.lstrip("/"), file.mode, len(file.content), [file.content]) for file in files])
    (await host.run("sh", "-c", PLACE, "write files", STAGING, content=stream, timeout_s=120)).check()


async def send_blobs(host: SshHost, bundle: Bundle, entries: Sequence[BundleEntry]) -> None:
    """Packages and programs into :data:`BLOBS`, as they lie in the bundle; those that are there are not sent again."""
    there = (await host.run("sh", "-c", 'ls "$1" 2>/dev/null || true', "list", BLOBS)).stdout.split()
    missing = {name: entry for entry in entries if (name := _blob_name(entry)) not in there}
    if not missing:
        return
    stream = tar(
        (name, 0o600, entry.blobs[0].size_bytes, bundle.chunks(entry)) for name, entry in missing.items()
    )  # fmt: skip
    (await host.run("sh", "-c", UNPACK, "copy", BLOBS, content=stream, timeout_s=COPY_S)).check()


async def import_images(host: SshHost, bundle: Bundle, entries: Sequence[BundleEntry]) -> None:
    """Images into containerd's store, shared layers once."""
    stream = bundle.image_archive(entries)
    (await host.run("sh", "-c", IMPORT, "import images", content=stream, timeout_s=COPY_S)).check()


def tar(files: Iterable[tuple[str, int, int, Iterable[bytes]]]) -> Iterator[bytes]:
    """A tar of ``(name, mode, size, chunks)`` as a stream."""
    for name, mode, size, chunks in files:
        info = tarfile.TarInfo(name)
        info.mode, info.size = mode, size
        yield info.tobuf(tarfile.PAX_FORMAT)
        yield from chunks
        yield b"\0" * (-size % tarfile.BLOCKSIZE)
    yield b"\0" * 2 * tarfile.BLOCKSIZE


def _blob_name(entry: BundleEntry) -> str:
    return entry.blobs[0].sha256 + (".deb" if entry.kind == "package" else "")
