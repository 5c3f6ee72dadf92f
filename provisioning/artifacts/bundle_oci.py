"""Images of a bundle as an OCI image layout in a tar, made on the way from the bundle's blobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from .bundle_layout import BLOCK, END, blob_name, header
from .bundle_schema import Blob, BundleEntry
from .oci import INDEX, MANIFEST, reference_annotations

_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


def archive(images: Sequence[BundleEntry], read: Callable[[Blob], Iterator[bytes]]) -> Iterator[bytes]:
    """The layout with each blob once; ``read`` gives the bytes of a blob."""
    for name, content in _heads(images):
        yield header(name, len(content)) + content + bytes(-len(content) % BLOCK)
    for blob in _blobs(images):
        yield header(blob_name(blob), blob.size_bytes)
        yield from read(blob)
        yield bytes(-blob.size_bytes % BLOCK)
    yield END


def archive_size(images: Sequence[BundleEntry]) -> int:
    """How many bytes :func:`archive` gives."""
    sizes = [*(len(content) for _, content in _heads(images)), *(blob.size_bytes for blob in _blobs(images))]
    return sum(BLOCK + size + -size % BLOCK for size in sizes) + len(END)


def _heads(images: Sequence[BundleEntry]) -> list[tuple[str, bytes]]:
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [_described(one) for one in images]}
    return [("oci-layout", _LAYOUT), ("index.json", json.dumps(index, separators=(",", ":")).encode())]


def _described(image: BundleEntry) -> dict[str, object]:
    return {
        "mediaType": MANIFEST,
        "digest": f"sha256:{image.sha256}",
        "size": image.blobs[0].size_bytes,
        "annotations": reference_annotations(image.name),
    }


def _blobs(images: Sequence[BundleEntry]) -> list[Blob]:
    return list({blob.sha256: blob for image in images for blob in image.blobs}.values())
