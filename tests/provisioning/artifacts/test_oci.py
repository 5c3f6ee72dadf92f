"""Images: the same content gives the same digest, and a layout is what the specification says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from idcbench.errors import ArtifactError
from idcbench.provisioning.artifacts import oci_debian
from idcbench.provisioning.artifacts.oci import Runtime, full_reference, image, write_image
from idcbench.provisioning.artifacts.oci_debian import given, users, without
from idcbench.provisioning.artifacts.oci_layer import STAMP_S, Entry, lay_out, layer, read_tar, tree
from idcbench.provisioning.artifacts.oci_wheels import unpacked

FILES = {
    "usr/bin/tool": Entry(b"#!x", mode=0o755),
    "etc/name": Entry(b"me"),
    "bin": Entry(target="usr/bin", mode=0o777),
    "tmp": Entry(mode=0o1777),
}
RUNTIME = Runtime(entrypoint=("/usr/bin/tool",), user="65532:65532", environment={"A": "b"})


def test_the_order_of_entries_changes_nothing() -> None:
    turned = dict(reversed(list(FILES.items())))
    assert layer(FILES) == layer(turned)
    assert image([layer(FILES)], RUNTIME, reference="x").digest == image([layer(turned)], RUNTIME, reference="x").digest


def test_a_byte_changes_the_digest() -> None:
    assert layer(FILES).digest != layer(FILES | {"etc/name": Entry(b"you")}).digest
    assert layer(FILES).digest != layer(FILES | {"etc/name": Entry(b"me", mode=0o600)}).digest


def test_a_layer_unpacks_to_its_entries() -> None:
    made = layer(FILES)
    packed = gzip.decompress(made.blob)
    assert made.diff_id == f"sha256:{hashlib.sha256(packed).hexdigest()}"
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = archive.getmembers()
        assert dict(read_tar(archive)) == FILES | {
            "usr": Entry(mode=0o755),
            "usr/bin": Entry(mode=0o755),
            "etc": Entry(mode=0o755),
        }
    assert {(m.uid, m.gid, m.mtime, m.uname) for m in members} == {(0, 0, STAMP_S, "")}


def test_a_layout_is_whole(tmp_path: Path) -> None:
    made = image([layer(FILES), layer({"x": Entry(b"1")})], RUNTIME, reference="idc/tool:1")
    write_image(tmp_path / "i.tar", made)
    with tarfile.open(tmp_path / "i.tar") as archive:
        stored = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    assert json.loads(stored["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(stored["index.json"])["manifests"]
    assert entry["digest"] == made.digest
    assert entry["annotations"]["io.containerd.image.name"] == "docker.io/idc/tool:1"

    def blob(descriptor: dict[str, str]) -> bytes:
        content = stored["blobs/" + descriptor["digest"].replace(":", "/")]
        assert descriptor["size"] == len(content)
        assert descriptor["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        return content

    manifest = json.loads(blob(entry))
    config = json.loads(blob(manifest["config"]))
    unpacked_ids = [hashlib.sha256(gzip.decompress(blob(one))).hexdigest() for one in manifest["layers"]]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{one}" for one in unpacked_ids]
    assert config["config"]["User"] == "65532:65532"
    assert not (tmp_path / "i.tar.part").exists()


@pytest.mark.parametrize(
    ("given_name", "found"),
    [
        ("tool", "docker.io/library/tool:latest"),
        ("tool:1", "docker.io/library/tool:1"),
        ("idc/tool", "docker.io/idc/tool:latest"),
        ("localhost/tool", "localhost/tool:latest"),
        ("registry.example:5000/a/tool:2", "registry.example:5000/a/tool:2"),
    ],
)
def test_a_reference_is_completed(given_name: str, found: str) -> None:
    assert full_reference(given_name) == found


def test_a_base_is_read_from_a_tar(tmp_path: Path) -> None:
    (tmp_path / "base.tar").write_bytes(gzip.decompress(layer(FILES).blob))
    assert given(tmp_path / "base.tar")["etc/name"] == Entry(b"me")
    (tmp_path / "none.tar").write_bytes(b"x")
    with pytest.raises(ArtifactError, match="a tar of a root file system is wanted"):
        given(tmp_path / "none.tar")


def test_a_path_that_climbs_is_refused() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../out"))
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive, pytest.raises(ValueError, match="leads out"):
        dict(read_tar(archive))


def test_a_wheel_is_unpacked_without_its_scripts(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr("a/__init__.py", "1")
        wheel.writestr("a-1.data/purelib/b.py", "2")
        wheel.writestr("a-1.data/scripts/run", "3")
    found = unpacked(tmp_path / "a.whl", below="site")
    assert found == {"site/a/__init__.py": Entry(b"1"), "site/b.py": Entry(b"2")}


def test_a_tree_is_laid_out_and_read_back(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    lay_out(FILES, tmp_path / "root")
    (tmp_path / "root/etc/__pycache__").mkdir()
    (tmp_path / "root/etc/__pycache__/x.pyc").touch()
    assert (tmp_path / "root/etc/name").stat().st_mtime == STAMP_S
    assert tree(tmp_path / "root/etc", below="etc") == {"etc/name": Entry(b"me")}


def test_fresh_lists_are_fetched_where_the_machine_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, ...]] = []

    def run(*argv: str) -> bytes:
        calls.append(argv)
        if "update" not in {each for call in calls for each in call}:
            raise ArtifactError("apt-get: E: Unable to locate package tool")
        return b""

    monkeypatch.setattr(oci_debian, "_run", run)
    monkeypatch.setattr("shutil.which", lambda tool: tool)
    assert oci_debian.debian(["tool"], work=tmp_path / "debs") == ({}, [])
    first, update, second = calls
    lists = f"Dir::State::lists={tmp_path / 'debs' / 'lists'}"
    assert lists not in first
    assert lists in update
    assert lists in second
    assert second[-2:] == ("install", "tool")


def test_users_and_what_is_left_out() -> None:
    assert b"nonroot:x:65532" in (users(uid=65532)["etc/passwd"].content or b"")
    assert list(without({"a/b": Entry(b""), "a": Entry(), "ab": Entry(b"")}, ["a"])) == ["ab"]
