"""Images of one's own for a bundle, out of OCI archives whole and broken."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from idcbench.provisioning.artifacts.bundle_write import Shelf
from idcbench.provisioning.artifacts.failure import BundleError
from idcbench.provisioning.artifacts.image_file import images_of
from idcbench.provisioning.artifacts.oci import INDEX, Image, Runtime, image, write_image
from idcbench.provisioning.artifacts.oci_layer import Entry, digest_of, layer

REFERENCE = "registry.room:5000/shop:v1.2"


def made(architecture: str = "amd64", content: bytes = b"hello", reference: str = REFERENCE) -> Image:
    runtime = Runtime(entrypoint=["/shop"], user="1:1", architecture=architecture)
    return image([layer({"shop": Entry(content)})], runtime, reference=reference)


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def taken(path: Path, folder: Path) -> Any:
    folder.mkdir(exist_ok=True)
    return images_of(path, Shelf(folder), architecture="amd64")


def test_an_archive_of_ours_becomes_an_image_of_the_bundle(tmp_path: Path) -> None:
    one = made()
    write_image(tmp_path / "shop.tar", one)
    [entry] = taken(tmp_path / "shop.tar", tmp_path / "shelf")
    assert (entry.name, entry.kind, entry.version) == (REFERENCE, "image", "1.2")
    assert f"sha256:{entry.sha256}" == one.digest
    assert len(entry.blobs) == 3
    assert {path.name for path in (tmp_path / "shelf").iterdir()} == {blob.sha256 for blob in entry.blobs}


def test_of_several_architectures_that_of_the_hosts_is_taken(tmp_path: Path) -> None:
    both = {arch: made(arch, arch.encode()) for arch in ("arm64", "amd64")}
    listed = [
        {"mediaType": "x", "digest": one.digest, "size": 1, "platform": {"os": "linux", "architecture": arch}}
        for arch, one in both.items()
    ]
    inner = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}).encode()
    head = {"digest": digest_of(inner), "annotations": {"io.containerd.image.name": REFERENCE}}
    blobs = {name: blob for one in both.values() for name, blob in one.blobs.items() if name.startswith("blobs/")}
    members = blobs | {
        f"blobs/{digest_of(inner).replace(':', '/')}": inner, "index.json": json.dumps({"manifests": [head]}).encode(),
    }  # fmt: skip
    [entry] = taken(archive(tmp_path / "both.tar", members), tmp_path / "shelf")
    assert f"sha256:{entry.sha256}" == both["amd64"].digest


def test_what_is_for_other_machines_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "shop.tar", made("arm64"))
    with pytest.raises(BundleError, match="is for arm64, not amd64"):
        taken(tmp_path / "shop.tar", tmp_path / "shelf")


def changed(members: dict[str, bytes]) -> dict[str, bytes]:
    largest = max((name for name in members if name.startswith("blobs/")), key=lambda name: len(members[name]))
    return members | {largest: members[largest][:-1] + b"!"}


def nameless(members: dict[str, bytes]) -> dict[str, bytes]:
    return members | {"index.json": members["index.json"].replace(b"annotations", b"notes")}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (changed, "is not what its digest says"),
        (nameless, "has no whole name"),
        (lambda _: {"manifest.json": b"[]"}, "has no index.json; write it as an OCI archive"),
        (lambda members: members | {"index.json": b"{}"}, "is no OCI image layout"),
        (lambda members: members | {"index.json": b"[1]"}, "is no OCI image layout"),
    ],
)
def test_a_broken_archive_is_told_with_its_name(tmp_path: Path, spoil: Any, said: str) -> None:
    path = archive(tmp_path / "shop.tar", spoil(dict(made().blobs)))
    with pytest.raises(BundleError, match=f"--image .*shop.tar: .*{said}"):
        taken(path, tmp_path / "shelf")


def test_what_is_no_archive_or_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("hello")
    for name in ("text.tar", "nowhere.tar"):
        with pytest.raises(BundleError, match=f"{name}: cannot be read"):
            taken(tmp_path / name, tmp_path / "shelf")
