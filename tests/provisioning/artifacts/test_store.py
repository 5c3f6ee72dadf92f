"""The cache never gives what is not whole."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idcbench.errors import ArtifactError
from idcbench.provisioning.artifacts import manifest as manifests
from idcbench.provisioning.artifacts.manifest import Manifest, Way
from idcbench.provisioning.artifacts.parts import Part
from idcbench.provisioning.artifacts.store import Entry, Store
from idcbench.provisioning.artifacts.upkeep import verify

from .conftest import sha256

ETCD = Part("etcd", "3.7.3", "amd64")
KUBERNETES = Part("kubernetes", "1.37.2", "amd64")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def add(store: Store, part: Part = ETCD, content: bytes = b"program", way: Way = "build") -> Entry:
    staged = store.staging(part) / "out"
    staged.mkdir(parents=True)
    for name in part.binaries:
        (staged / name).write_bytes(content)
    return store.add(part, staged, way=way, provenance=f"test {way}", source="test")


def flip_a_bit(path: Path) -> None:
    """As a failing disk does it: neither size nor time change."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_was_added_is_found_with_its_digest(store: Store) -> None:
    added = add(store)
    found = store.find(ETCD)
    assert found == added
    assert found.manifest.files["etcd"].sha256 == sha256(b"program")
    assert store.entries() == [added]
    assert not store.staging(ETCD).exists()


def test_names_that_lead_to_one_program_share_its_digest_and_its_size(store: Store) -> None:
    staged = store.staging(KUBERNETES) / "out"
    staged.mkdir(parents=True)
    (staged / "kubernetes").write_bytes(b"all in one")
    for name in KUBERNETES.binaries:
        (staged / name).symlink_to("kubernetes")
    entry = store.add(KUBERNETES, staged, way="build", provenance="test", source="test")
    assert {facts.sha256 for facts in entry.manifest.files.values()} == {sha256(b"all in one")}
    assert entry.size_bytes == len(b"all in one")


def test_a_version_that_is_not_there_is_not_found(store: Store) -> None:
    add(store)
    assert store.find(Part("etcd", "3.7.2", "amd64")) is None
    assert store.find(Part("etcd", "3.7.3", "arm64")) is None


@pytest.mark.parametrize("harm", ["no manifest", "half a manifest", "newer schema", "cut program", "no program"])
def test_what_is_half_there_is_never_found(store: Store, harm: str) -> None:
    folder = add(store).folder
    manifest = folder / "manifest.json"
    match harm:
        case "no manifest":
            manifest.unlink()
        case "half a manifest":
            manifest.write_bytes(manifest.read_bytes()[:-40])
        case "newer schema":
            newer = msgspec.structs.replace(msgspec.json.decode(manifest.read_bytes(), type=Manifest), schema=99)
            manifests.write(manifest, newer)
        case "cut program":
            (folder / "etcd").write_bytes(b"prog")
        case "no program":
            (folder / "etcd").unlink()
    assert store.find(ETCD) is None
    assert add(store).folder == folder  # and it can be provided anew
    assert store.find(ETCD) is not None


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=st.integers(0, 2000))
def test_a_manifest_cut_anywhere_is_none(tmp_path: Path, length: int) -> None:
    store = Store(tmp_path / "cut")
    manifest = (store.find(ETCD) or add(store)).folder / "manifest.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:length])
    found = manifests.read(manifest)
    manifest.write_bytes(whole)
    assert (found is None) == (length < len(whole))


def test_what_is_staged_is_never_found(store: Store) -> None:
    staged = store.staging(ETCD) / "out"
    staged.mkdir(parents=True)
    (staged / "etcd").write_bytes(b"program")
    assert store.find(ETCD) is None
    assert store.entries() == []


def test_a_copied_cache_is_read_once_and_then_trusted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = add(store)
    os.utime(entry.folder / "etcd", (1, 1))
    assert store.find(ETCD) is not None
    monkeypatch.setattr(manifests, "sha256", lambda _: pytest.fail("read again"))
    assert store.find(ETCD) is not None


def test_a_program_of_the_same_size_but_other_content_is_not_found(store: Store) -> None:
    entry = add(store)
    (entry.folder / "etcd").write_bytes(b"PROGRAM")
    assert store.find(ETCD) is None


def test_an_official_release_goes_before_a_build(store: Store) -> None:
    official = add(store, content=b"official", way="release")
    add(store, content=b"built", way="build")
    assert len(store.entries()) == 2
    assert store.find(ETCD) == official


def test_verify_finds_a_flipped_bit_and_the_entry_is_not_used_any_more(store: Store) -> None:
    good, bad = add(store), add(store, KUBERNETES)
    flip_a_bit(bad.folder / "kubelet")
    assert store.find(KUBERNETES) is not None  # it looks untouched
    verdicts = {verdict.entry.folder: verdict.damaged for verdict in verify(store, store.entries())}
    assert verdicts == {good.folder: (), bad.folder: ("kubelet",)}
    assert store.find(KUBERNETES) is None
    assert store.find(ETCD) is not None
    assert add(store, KUBERNETES).folder == bad.folder  # provided anew in its place
    assert store.find(KUBERNETES) is not None


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(ArtifactError, match=r"cache .* cannot be written .*XDG_CACHE_HOME"):
        Store(tmp_path / "cache").lock(ETCD, lambda *_, **__: None)


def test_no_space_is_told_and_leaves_nothing_to_be_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(manifests, "write", full)
    with pytest.raises(ArtifactError, match="no space left below"):
        add(store)
    assert store.find(ETCD) is None
