"""Images of one's own out of a file: an OCI image layout in a tar, as skopeo, `podman save` and `docker save` write."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bundle_schema import BundleEntry
from .bundle_write import Shelf
from .failure import BundleError
from .oci import full_reference

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
NAME, TAG = "io.containerd.image.name", "org.opencontainers.image.ref.name"
REMEDY = "write it as an OCI archive: skopeo copy docker://NAME oci-archive:FILE:NAME"
Descriptor = dict[str, Any]


def images_of(path: Path, shelf: Shelf, *, architecture: str) -> list[BundleEntry]:
    """Every named image of the file, its blobs put aside; of several architectures that of the hosts.

    Raises :class:`BundleError` for a file that is none, is cut off or changed, or has no name for its images.
    """
    try:
        with tarfile.open(path) as archive:
            return _Layout(path, archive, shelf, architecture).images()
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BundleError(f"--image {path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


@dataclass(frozen=True, slots=True)
class _Layout:
    path: Path
    archive: tarfile.TarFile
    shelf: Shelf
    architecture: str

    def images(self) -> list[BundleEntry]:
        try:
            heads = json.loads(self._read("index.json"))["manifests"]
            return [self._image(self._reference(head), head) for head in heads]
        except (ValueError, KeyError, TypeError) as error:
            raise self._refusal(f"is no OCI image layout ({type(error).__name__}: {error})") from None

    def _reference(self, head: Descriptor) -> str:
        annotations = head.get("annotations") or {}
        name = annotations.get(NAME) or annotations.get(TAG, "")
        if not name or ("/" not in name and ":" not in name):
            raise self._refusal(f"its image {head['digest'][:19]} has no whole name")
        return full_reference(name)

    def _image(self, reference: str, head: Descriptor) -> BundleEntry:
        text = self._blob(head)
        manifest = json.loads(text)
        if manifest.get("mediaType", head.get("mediaType")) in INDEXES or "manifests" in manifest:
            return self._image(reference, self._for_hosts(reference, manifest["manifests"]))
        rest = [self._blob(one) for one in (manifest["config"], *manifest["layers"])]
        built_for = json.loads(rest[0]).get("architecture", "")
        if built_for != self.architecture:
            raise self._refusal(f"{reference} is for {built_for or 'an unknown architecture'}, not {self.architecture}")
        return self.shelf.keep_image(reference, (text, *rest), origin=f"given as {self.path.name}")

    def _for_hosts(self, reference: str, given: Sequence[Descriptor]) -> Descriptor:
        for one in self._platforms(given):
            return one
        raise self._refusal(f"{reference} is there for other architectures only, not for {self.architecture}")

    def _platforms(self, given: Sequence[Descriptor]) -> Iterator[Descriptor]:
        for one in given:
            platform = one.get("platform") or {}
            if platform.get("os") == "linux" and platform.get("architecture") == self.architecture:
                yield one

    def _blob(self, descriptor: Descriptor) -> bytes:
        digest: str = descriptor["digest"]
        content = self._read(f"blobs/{digest.replace(':', '/')}")
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise self._refusal(f"its part {digest[:19]} is not what its digest says; fetch the file again")
        return content

    def _read(self, name: str) -> bytes:
        try:
            file = self.archive.extractfile(name)
        except KeyError:
            raise self._refusal(f"has no {name}; {REMEDY}") from None
        if file is None:
            raise self._refusal(f"{name} in it is no file")
        return file.read()

    def _refusal(self, why: str) -> BundleError:
        return BundleError(f"--image {self.path}: {why}")
