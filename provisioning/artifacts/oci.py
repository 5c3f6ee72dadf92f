"""An image as an OCI image layout (opencontainers/image-spec v1.1): one tar for containerd, podman and Docker."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .oci_layer import STAMP_S, Layer, digest_of

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How a container of the image runs. ``user`` is ``UID:GID``."""

    entrypoint: Sequence[str]
    user: str
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    architecture: str = "amd64"


@dataclass(frozen=True, slots=True)
class Image:
    """``digest`` names the manifest: what a registry and a runtime know the image by.

    ``blobs`` are the files of a layout by path; ``stored`` the manifest, the configuration and the layers alone.
    """

    digest: str
    blobs: Mapping[str, bytes]
    stored: Sequence[bytes]


def image(layers: Sequence[Layer], runtime: Runtime, *, reference: str) -> Image:
    """Join layers, lowest first. The same layers and runtime give the same digest."""
    config = _json(_config(layers, runtime))
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, config),
            "layers": [_descriptor(LAYER, one.blob) for one in layers],
        }
    )
    described = _descriptor(MANIFEST, manifest) | {"annotations": reference_annotations(reference)}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [described]}
    stored = (manifest, config, *(one.blob for one in layers))
    head = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index)}
    return Image(digest_of(manifest), head | {_place(blob): blob for blob in stored}, stored)


def write_image(path: Path, made: Image) -> None:
    """Write the layout as one tar, in one step: a file that is there is whole."""
    fresh = path.with_name(path.name + ".part")
    try:
        with tarfile.open(fresh, "w", format=tarfile.PAX_FORMAT) as archive:
            for name, blob in sorted(made.blobs.items()):
                member = tarfile.TarInfo(name)
                member.size, member.mtime, member.mode = len(blob), STAMP_S, 0o644
                archive.addfile(member, io.BytesIO(blob))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def reference_annotations(reference: str) -> dict[str, str]:
    """What names an image in a layout's index: for containerd in full, for others its tag."""
    return {
        "io.containerd.image.name": full_reference(reference),
        "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
    }


def full_reference(reference: str) -> str:
    """As containerd names an image: with a registry, and a tag."""
    first = reference.partition("/")[0]
    registry = "" if "/" in reference and ("." in first or ":" in first or first == "localhost") else "docker.io/"
    library = "library/" if registry and "/" not in reference else ""
    tag = "" if ":" in reference.rpartition("/")[2] else ":latest"
    return f"{registry}{library}{reference}{tag}"


def _config(layers: Sequence[Layer], runtime: Runtime) -> dict[str, Any]:
    return {
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(STAMP_S)),
        "architecture": runtime.architecture,
        "os": "linux",
        "config": {
            "User": runtime.user,
            "Env": [f"{name}={value}" for name, value in runtime.environment.items()],
            "Entrypoint": list(runtime.entrypoint),
            "WorkingDir": "/",
            "Labels": dict(runtime.labels),
            "StopSignal": "SIGTERM",
        },
        "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one in layers]},
    }


def _descriptor(kind: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest_of(blob), "size": len(blob)}


def _place(blob: bytes) -> str:
    return f"blobs/{digest_of(blob).replace(':', '/')}"


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
