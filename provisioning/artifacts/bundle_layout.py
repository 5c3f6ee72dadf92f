"""Where each byte of a bundle lies: a plain tar that follows from bundle.json alone.

``tar -tf`` lists it, but nobody has to walk it: members are ``bundle.json``, its digest, then the blobs by digest, each
with a header that has nothing to choose. So every byte of the file can be checked, and any blob be read in place.
"""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import dataclass

from .bundle_schema import Blob, BundleManifest
from .oci_layer import STAMP_S

BLOCK = 512
MANIFEST, DIGEST = "bundle.json", "bundle.json.sha256"
END = bytes(2 * BLOCK)
"""Two empty blocks end a tar (POSIX pax)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A member: its header begins at ``offset``, its content a block later."""

    name: str
    offset: int
    size_bytes: int

    @property
    def content(self) -> int:
        return self.offset + BLOCK

    @property
    def end(self) -> int:
        """Where the next member begins."""
        return self.content + self.size_bytes + self.padding

    @property
    def padding(self) -> int:
        return -self.size_bytes % BLOCK

    @property
    def header(self) -> bytes:
        """The block before the content."""
        return header(self.name, self.size_bytes)


@dataclass(frozen=True, slots=True)
class Layout:
    """``blobs`` by sha256; ``size_bytes`` is of the whole file."""

    manifest: Place
    digest: Place
    blobs: dict[str, Place]
    size_bytes: int

    @property
    def places(self) -> list[Place]:
        """All members as they follow each other."""
        return [self.manifest, self.digest, *self.blobs.values()]


def layout(manifest: BundleManifest, *, json_size_bytes: int) -> Layout:
    """Place everything; ``json_size_bytes`` is the length of bundle.json."""
    first = Place(MANIFEST, 0, json_size_bytes)
    second = Place(DIGEST, first.end, len(digest_line(b"")))
    places: dict[str, Place] = {}
    end = second.end
    for blob in manifest.blobs:
        places[blob.sha256] = place = Place(blob_name(blob), end, blob.size_bytes)
        end = place.end
    return Layout(first, second, places, end + len(END))


def blob_name(blob: Blob) -> str:
    """As in an OCI image layout."""
    return f"blobs/sha256/{blob.sha256}"


def digest_line(json: bytes) -> bytes:
    """What lies beside bundle.json, as `sha256sum --check` reads it."""
    return f"{hashlib.sha256(json).hexdigest()}  {MANIFEST}\n".encode()


def header(name: str, size_bytes: int) -> bytes:
    """A member's header."""
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size_bytes, STAMP_S, 0o644
    return member.tobuf(tarfile.USTAR_FORMAT)
