"""An OCI image layout in a tar, read by the specification (opencontainers/image-spec v1.1) and not by our writer."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOM = "application/vnd.oci.image"


@dataclass(frozen=True)
class Layout:
    """What a runtime takes from it: the manifest's digest, the configuration, the unpacked layers, lowest first."""

    digest: str
    config: dict[str, Any]
    layers: tuple[bytes, ...] = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.config["config"]["Env"])

    def unpack(self, root: Path) -> None:
        """As a runtime does; without whiteouts, of which these images have none."""
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
                archive.extractall(root, filter="tar")

    def members(self) -> dict[str, tarfile.TarInfo]:
        """Files by path, as the uppermost layer has them."""
        found: dict[str, tarfile.TarInfo] = {}
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
                found |= {member.name: member for member in archive}
        return found


def read(path: Path) -> Layout:
    """Every digest, size and media type is checked."""
    with tarfile.open(path) as archive:
        stored = {each.name: archive.extractfile(each).read() for each in archive if each.isfile()}  # type: ignore[union-attr]
    assert json.loads(stored.pop("oci-layout"))["imageLayoutVersion"] == "1.0.0"
    index = json.loads(stored.pop("index.json"))
    assert (index["schemaVersion"], index["mediaType"]) == (2, f"{ROOM}.index.v1+json")
    used: set[str] = set()

    def blob(descriptor: dict[str, Any], kind: str) -> bytes:
        assert descriptor["mediaType"] == f"{ROOM}.{kind}"
        place = "blobs/" + descriptor["digest"].replace(":", "/")
        used.add(place)
        content = stored[place]
        assert descriptor["size"] == len(content)
        assert descriptor["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        return content

    (entry,) = index["manifests"]
    manifest = json.loads(blob(entry, "manifest.v1+json"))
    assert (manifest["schemaVersion"], manifest["mediaType"]) == (2, f"{ROOM}.manifest.v1+json")
    config = json.loads(blob(manifest["config"], "config.v1+json"))
    layers = tuple(gzip.decompress(blob(each, "layer.v1.tar+gzip")) for each in manifest["layers"])
    assert config["rootfs"]["type"] == "layers"
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    assert used == set(stored), "blobs that nothing refers to"
    return Layout(entry["digest"], config, layers)
