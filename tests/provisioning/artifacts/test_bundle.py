"""The bundle's file: what was put in comes out, in place, and no changed byte goes unseen."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idcbench.provisioning.artifacts import bundle_schema
from idcbench.provisioning.artifacts.bundle import Bundle
from idcbench.provisioning.artifacts.bundle_layout import MANIFEST
from idcbench.provisioning.artifacts.failure import BundleError

from .bundles import digest, written

FILES = st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,11}", fullmatch=True), st.binary(max_size=3000), max_size=5)
ONCE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ONCE
@given(files=FILES)
def test_what_goes_in_comes_out(tmp_path: Path, files: dict[str, bytes]) -> None:
    opened = Bundle.open(written(tmp_path, files))
    assert {entry.name: b"".join(opened.chunks(entry)) for entry in opened.entries("binary")} == files
    assert opened.entries("package") == []
    opened.verify()


@ONCE
@given(files=FILES)
def test_it_is_a_tar_that_begins_with_its_head_and_the_same_every_time(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = written(tmp_path, files)
    with tarfile.open(path, "r:") as archive:
        names = archive.getnames()
        assert names[0] == MANIFEST
        assert sorted(names[2:]) == sorted({f"blobs/sha256/{digest(content)}" for content in files.values()})
    again = written(tmp_path, dict(files), name="again.bundle")
    assert again.read_bytes() == path.read_bytes()


@settings(ONCE, max_examples=300)
@given(data=st.data())
def test_no_changed_bit_goes_unseen(tmp_path: Path, data: st.DataObject) -> None:
    path = written(tmp_path, {"kubelet": b"k" * 700, "kubeadm": b"a" * 512, "empty": b""})
    whole = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    with pytest.raises(BundleError) as error:
        Bundle.open(path).verify()
    assert "\n" not in str(error.value)


def test_the_entry_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, {"kubelet": b"K" * 700, "kubeadm": b"A" * 700})
    path.write_bytes(path.read_bytes().replace(b"K" * 700, b"K" * 699 + b"J"))
    opened = Bundle.open(path)
    with pytest.raises(BundleError, match="kubelet is damaged"):
        opened.verify()
    kubelet, kubeadm = opened.entries("binary")
    assert b"".join(opened.chunks(kubeadm)) == b"A" * 700
    with pytest.raises(BundleError, match=r"kubelet is damaged .* copy it again"):
        list(opened.chunks(kubelet))


@settings(ONCE, max_examples=100)
@given(data=st.data())
def test_a_cut_file_is_told(tmp_path: Path, data: st.DataObject) -> None:
    path = written(tmp_path, {"kubelet": b"k" * 700})
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(BundleError, match=r"cut|not a bundle"):
        Bundle.open(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a bundle; name a file of `idcbench bundle create`"),
        (b"PK\x03\x04" + bytes(2000), "is not a bundle"),
        (b"\x1f\x8b" + b"x" * 5000, "is not a bundle"),
    ],
)
def test_what_is_no_bundle_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BundleError, match=said):
        Bundle.open(tmp_path / "x")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="No such file"):
        Bundle.open(tmp_path / "none")


def test_bytes_behind_the_end_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, {"kubelet": b"k"})
    path.write_bytes(path.read_bytes() + bytes(512))
    with pytest.raises(BundleError, match="512 bytes behind its end"):
        Bundle.open(path)


def test_a_newer_schema_is_told_from_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "idcbench.provisioning.artifacts.bundle_write.encode",
        lambda manifest: bundle_schema.encode(msgspec.structs.replace(manifest, schema=99)),
    )
    path = written(tmp_path, {"kubelet": b"k"})
    with pytest.raises(BundleError, match="of schema 99, this idcbench reads up to 1; update idcbench"):
        Bundle.open(path)


def test_another_architecture_and_distribution_are_told(tmp_path: Path) -> None:
    opened = Bundle.open(written(tmp_path, {"kubelet": b"k"}))
    opened.require(architecture="amd64", distribution="debian-12")
    with pytest.raises(BundleError, match="is for amd64, the host is arm64"):
        opened.require(architecture="arm64")
    with pytest.raises(BundleError, match="has packages for debian-12, the host is debian-13; create one with"):
        opened.require(architecture="amd64", distribution="debian-13")


def test_sha256sum_reads_the_digest_beside_the_head(tmp_path: Path) -> None:
    path = written(tmp_path, {"kubelet": b"k"})
    subprocess.run(["tar", "-xf", path.name], cwd=tmp_path, check=True)
    subprocess.run(["sha256sum", "--check", "--quiet", "bundle.json.sha256"], cwd=tmp_path, check=True)
