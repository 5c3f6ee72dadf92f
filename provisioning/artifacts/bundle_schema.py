"""What a bundle says of itself: ``bundle.json``, its first member."""

from __future__ import annotations

from typing import Literal

import msgspec

from .failure import BundleError

SCHEMA = 1
Kind = Literal["binary", "package", "image"]
Media = Literal["plain", "gzip", "oci"]


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes as they lie in the bundle: their sha256 as hex, by which they are named and kept once."""

    sha256: str
    size_bytes: int


class BundleEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing for a host.

    ``sha256`` and ``size_bytes`` are of the thing as a host has it: of the unpacked file for ``gzip``; of an image
    its manifest's digest, and what its blobs weigh together. ``blobs`` holds one, for an image its manifest first and
    then its configuration and layers. ``origin`` says in words where it is from. ``path`` is a binary's place on a
    host, ``distribution`` what a package is for.
    """

    name: str
    kind: Kind
    version: str
    size_bytes: int
    sha256: str
    origin: str
    media: Media
    blobs: tuple[Blob, ...]
    path: str = ""
    distribution: str = ""


class BundleManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a bundle. ``architecture`` is as Go spells it (``amd64``)."""

    kubernetes: str
    architecture: str
    distributions: tuple[str, ...]
    created_by: str
    entries: tuple[BundleEntry, ...]
    schema: int = SCHEMA

    @property
    def blobs(self) -> list[Blob]:
        """Every blob once, in the order of its digest: the order in which they lie in the file."""
        by_digest = {blob.sha256: blob for entry in self.entries for blob in entry.blobs}
        return [by_digest[digest] for digest in sorted(by_digest)]

    def users_of(self, digest: str) -> list[str]:
        """The names of the entries that a blob belongs to."""
        return [entry.name for entry in self.entries if any(blob.sha256 == digest for blob in entry.blobs)]


class _Head(msgspec.Struct):
    schema: int


def encode(manifest: BundleManifest) -> bytes:
    """As it is written; the same manifest gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1)


def decode(text: bytes, *, where: str) -> BundleManifest:
    """Read it back. Raises :class:`~.failure.BundleError` for another schema and for what is no manifest."""
    try:
        schema = msgspec.json.decode(text, type=_Head).schema
        if schema <= SCHEMA:
            return msgspec.json.decode(text, type=BundleManifest)
    except msgspec.MsgspecError as error:
        raise BundleError(f"{where}: bundle.json in it cannot be read ({error}); create the bundle anew") from None
    raise BundleError(
        f"{where} is of schema {schema}, this idcbench reads up to {SCHEMA}; update idcbench, or create the bundle "
        "with this one"
    )
