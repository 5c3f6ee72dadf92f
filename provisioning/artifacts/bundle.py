"""A bundle: one file with all that hosts need where there is no network, read in place and never unpacked here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...progress import Progress, silent
from . import bundle_layout as layouts
from .bundle_layout import BLOCK, Layout, Place
from .bundle_oci import archive, archive_size
from .bundle_schema import Blob, BundleEntry, BundleManifest, Kind, decode
from .failure import BundleError

CHUNK_BYTES = 1 << 20
_LONGEST_JSON = 64 << 20
_ANEW = "copy it again, or create it anew with `idcbench bundle create`"


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle. Holds no descriptor: each read opens the file, so threads may share one."""

    path: Path
    manifest: BundleManifest
    layout: Layout

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """Read the head, and check it and the file's length. Raises :class:`~.failure.BundleError`."""
        try:
            with path.open("rb") as file:
                json = _json(file.read, path)
                manifest = decode(json, where=str(path))
                layout = layouts.layout(manifest, json_size_bytes=len(json))
                found = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise BundleError(f"bundle {path}: {error.strerror}; name a file of `idcbench bundle create`") from None
        if found < layout.size_bytes:
            raise BundleError(f"{path} is cut: {layout.size_bytes:,} bytes are wanted, {found:,} are there; {_ANEW}")
        if found > layout.size_bytes:
            raise BundleError(f"{path} has {found - layout.size_bytes:,} bytes behind its end; {_ANEW}")
        return cls(path, manifest, layout)

    def entries(self, kind: Kind | None = None, *, distribution: str | None = None) -> list[BundleEntry]:
        """The entries, in the order of bundle.json; of one kind, and of packages those for one distribution."""
        return [
            entry
            for entry in self.manifest.entries
            if kind in (None, entry.kind) and (distribution is None or entry.distribution in ("", distribution))
        ]

    def image(self, part: str) -> BundleEntry:
        """The image of a part, as the last word of its name says: ``flannel``, ``kube-proxy``, ``podtool``.

        Raises :class:`~.failure.BundleError` when there is none.
        """
        found = [one for one in self.entries("image") if one.name.rpartition("/")[2].partition(":")[0] == part]
        if not found:
            raise BundleError(f"{self.path} has no image of {part}; create it anew with this idcbench")
        return found[0]

    def chunks(self, entry: BundleEntry) -> Iterator[bytes]:
        """The stored bytes of an entry: a file, gzip or plain as ``entry.media`` says; an image as an OCI archive.

        Raises :class:`~.failure.BundleError` after the last chunk when they are not what was put in: keep nothing of
        what was read until it ends.
        """
        if entry.kind == "image":
            return self.image_archive([entry])
        return self.blob(entry.blobs[0])

    def image_archive(self, images: Sequence[BundleEntry]) -> Iterator[bytes]:
        """Several images as one OCI layout in a tar, each shared layer once: what `ctr images import -` reads."""
        return archive(images, self.blob)

    def image_archive_size(self, images: Sequence[BundleEntry]) -> int:
        """How many bytes :meth:`image_archive` gives."""
        return archive_size(images)

    def blob(self, blob: Blob) -> Iterator[bytes]:
        """The bytes of a blob, checked as they pass. Raises :class:`~.failure.BundleError` after the last chunk."""
        found = hashlib.sha256()
        for chunk in self.read(self.layout.blobs[blob.sha256]):
            found.update(chunk)
            yield chunk
        if found.hexdigest() != blob.sha256:
            raise BundleError(self._damaged(blob.sha256))

    def read(self, place: Place, *, first: int = 0) -> Iterator[bytes]:
        """The content of a member from its byte ``first`` on, unchecked."""
        with self.path.open("rb") as file:
            file.seek(place.content + first)
            left = place.size_bytes - first
            while left and (chunk := file.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk

    def verify(self, progress: Progress = silent) -> None:
        """Read the whole file. Raises :class:`~.failure.BundleError` naming the first entry that is damaged."""
        done = 0
        for digest, place in self.layout.blobs.items():
            progress(f"reading {self.path}", done=done / 1e6, total=self.layout.size_bytes / 1e6, unit="MB")
            for _ in self.blob(Blob(sha256=digest, size_bytes=place.size_bytes)):
                pass
            done = place.end
        with self.path.open("rb") as file:
            for place in self.layout.places:
                file.seek(place.offset)
                head = file.read(BLOCK)
                file.seek(place.content + place.size_bytes)
                if head != place.header or any(file.read(place.padding)):
                    raise BundleError(f"{self.path}: the tar around {place.name} is damaged; {_ANEW}")
            if any(file.read()):
                raise BundleError(f"{self.path}: the end of the tar is damaged; {_ANEW}")

    def require(self, *, architecture: str, distribution: str | None = None) -> None:
        """Raise :class:`~.failure.BundleError` unless it is for such a host (``amd64``, ``debian-12``)."""
        has = self.manifest
        if has.architecture != architecture:
            raise BundleError(
                f"{self.path} is for {has.architecture}, the host is {architecture}; create a bundle on a machine "
                f"of {architecture}"
            )
        if distribution is not None and distribution not in has.distributions:
            raise BundleError(
                f"{self.path} has packages for {', '.join(has.distributions) or 'no distribution'}, the host is "
                f"{distribution}; create one with --distribution {distribution}"
            )

    def _damaged(self, digest: str) -> str:
        names = ", ".join(self.manifest.users_of(digest))
        return f"{self.path}: {names} is damaged (its sha256 is not {digest[:12]}…); {_ANEW}"


def _json(read: Callable[[int], bytes], path: Path) -> bytes:
    """bundle.json, when the file begins with it and it is what its digest says."""
    first = read(BLOCK)
    size_bytes = _size_in(first)
    if size_bytes is None or first != layouts.header(layouts.MANIFEST, size_bytes):
        raise BundleError(f"{path} is not a bundle; name a file of `idcbench bundle create`")
    place = Place(layouts.MANIFEST, 0, size_bytes)
    json = read(size_bytes)
    read(place.padding)
    read(BLOCK)
    line = read(len(layouts.digest_line(b"")))
    if line != layouts.digest_line(json):
        raise BundleError(f"{path}: bundle.json in it is cut or damaged; {_ANEW}")
    return json


def _size_in(block: bytes) -> int | None:
    """The size that a header names, in octal at its place (POSIX ustar)."""
    try:
        size_bytes = int(block[124:135], 8)
    except ValueError:
        return None
    return size_bytes if 0 < size_bytes <= _LONGEST_JSON else None
