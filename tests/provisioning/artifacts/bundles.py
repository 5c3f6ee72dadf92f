"""Small bundles for tests."""

from __future__ import annotations

import hashlib
from pathlib import Path

from idcbench.provisioning.artifacts.bundle_schema import BundleEntry, BundleManifest
from idcbench.provisioning.artifacts.bundle_write import Shelf, write_bundle
from idcbench.provisioning.artifacts.oci import Runtime, image
from idcbench.provisioning.artifacts.oci_layer import Entry, Layer, layer

RUNTIME = Runtime(entrypoint=("run",), user="0:0")
SHARED = layer({"usr/bin/all": Entry(b"one file, many names" * 50, mode=0o755)})


def entry_of(name: str, content: bytes, shelf: Shelf) -> BundleEntry:
    """A plain file."""
    blob = shelf.keep(content)
    return BundleEntry(
        name=name, kind="binary", version="1", size_bytes=len(content), sha256=blob.sha256, origin="a test",
        media="plain", blobs=(blob,), path=f"/usr/local/bin/{name}",
    )  # fmt: skip


def image_of(reference: str, layers: list[Layer], shelf: Shelf) -> BundleEntry:
    """An image."""
    made = image(layers, RUNTIME, reference=reference)
    blobs = tuple(shelf.keep(content) for content in made.stored)
    return BundleEntry(
        name=reference, kind="image", version="1", size_bytes=sum(blob.size_bytes for blob in blobs),
        sha256=made.digest.removeprefix("sha256:"), origin="a test", media="oci", blobs=blobs,
    )  # fmt: skip


def manifest_of(*entries: BundleEntry) -> BundleManifest:
    return BundleManifest(
        kubernetes="1.37.2", architecture="amd64", distributions=("debian-12",), created_by="a test", entries=entries
    )


def written(folder: Path, files: dict[str, bytes], *, images: bool = False, name: str = "some.bundle") -> Path:
    """A bundle of files, and of two images that share a layer and a third of the same name elsewhere."""
    parts = folder / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    shelf = Shelf(parts)
    entries = [entry_of(file, content, shelf) for file, content in files.items()]
    if images:
        own = layer({"etc/own": Entry(b"own")})
        entries += [
            image_of("registry.k8s.io/kube-apiserver:v1.37.2", [SHARED], shelf),
            image_of("registry.k8s.io/coredns/coredns:v1.14.6", [SHARED, own], shelf),
            image_of("localhost/kube-apiserver:v1.37.2", [own], shelf),
        ]
    path = folder / name
    write_bundle(path, manifest_of(*entries), shelf.files)
    return path


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
