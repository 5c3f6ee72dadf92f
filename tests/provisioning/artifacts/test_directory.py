"""The user's own binaries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from idcbench.errors import ArtifactError, UsageError
from idcbench.provisioning.artifacts import SourceOptions, directory, provide
from idcbench.provisioning.artifacts.parts import BINARIES

from .conftest import FakeGo, sha256


def fill(folder: Path, *, kubernetes: str = "1.37.2", names: tuple[str, ...] | None = None) -> Path:
    """A directory of programs that say their version."""
    folder.mkdir(parents=True, exist_ok=True)
    versions = {**dict.fromkeys(BINARIES["kubernetes"], kubernetes), "etcd": "3.6.5", "kwok": "0.7.0"}
    for name in names or tuple(versions):
        (folder / name).write_text(f"#!/bin/sh\necho {name} v{versions[name]}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def only(options: Callable[..., SourceOptions], tmp_path: Path) -> Callable[..., SourceOptions]:
    """Options that allow the directory alone."""
    return lambda: options(directory=tmp_path / "mine", download=False, build=False)


def test_programs_are_used_where_they_lie(only: Callable[[], SourceOptions], tmp_path: Path) -> None:
    mine = fill(tmp_path / "mine")
    got = provide("1.37", options=only())
    assert (got.kubernetes, got.etcd, got.kwok, got.provenance) == ("1.37.2", "3.6.5", "0.7.0", "given by the user")
    assert (got.folder / "kubelet").resolve() == mine / "kubelet"
    assert got.digests["etcd"] == sha256((mine / "etcd").read_bytes())


def test_the_directory_decides_the_patch(only: Callable[[], SourceOptions], tmp_path: Path) -> None:
    fill(tmp_path / "mine", kubernetes="1.36.9")
    assert provide("1.36", options=only()).kubernetes == "1.36.9"


@pytest.mark.parametrize("asked", ["1.37", "1.36.8", "1.36.90"])
def test_another_version_than_asked_for_is_a_usage_error(
    only: Callable[[], SourceOptions], tmp_path: Path, asked: str
) -> None:
    fill(tmp_path / "mine", kubernetes="1.36.9")
    with pytest.raises(UsageError, match=rf"holds Kubernetes 1\.36\.9, but {asked} was asked for; ask for 1\.36\.9"):
        provide(asked, options=only())


def test_they_are_looked_at_once_until_they_change(
    only: Callable[[], SourceOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = fill(tmp_path / "mine")
    first = provide(options=only())
    with monkeypatch.context() as patch:
        patch.setattr(directory, "ask_version", lambda _: pytest.fail("asked again"))
        assert provide(options=only()) == first
    (mine / "etcd").write_text("#!/bin/sh\necho etcd v3.6.6\n")
    assert provide(options=only()).etcd == "3.6.6"


def test_unpacked_archives_are_found(only: Callable[[], SourceOptions], tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    fill(mine / "kubernetes/server/bin", names=BINARIES["kubernetes"])
    fill(mine / "etcd-v3.6.5-linux-amd64", names=("etcd",))
    fill(mine / "bin", names=("kwok",))
    got = provide(options=only())
    assert all((got.folder / name).exists() for name in got.digests)


def test_what_the_directory_lacks_comes_from_elsewhere(
    options: Callable[..., SourceOptions], tmp_path: Path, fake_go: FakeGo
) -> None:
    fill(tmp_path / "mine", names=BINARIES["kubernetes"])
    got = provide(options=options(directory=tmp_path / "mine", download=False))
    assert got.provenance == "Kubernetes: given by the user; etcd, KWOK: built from Go modules (go1.26.8)"
    assert len(fake_go.calls("build")) == 2


def test_a_part_that_is_not_whole_is_a_usage_error(only: Callable[[], SourceOptions], tmp_path: Path) -> None:
    fill(tmp_path / "mine", names=("kube-apiserver", "kubectl", "etcd", "kwok"))
    with pytest.raises(UsageError, match="holds kube-apiserver, kubectl but not kube-controller-manager"):
        provide(options=only())


def test_programs_of_different_versions_are_a_usage_error(only: Callable[[], SourceOptions], tmp_path: Path) -> None:
    fill(tmp_path / "mine")
    fill(tmp_path / "mine", kubernetes="1.37.1", names=("kubelet",))
    with pytest.raises(UsageError, match=r"not of one version .*kubelet 1\.37\.1"):
        provide(options=only())


@pytest.mark.parametrize("harm", ["not executable", "no program", "fails", "says nothing"])
def test_a_program_that_cannot_be_run_is_a_usage_error(
    only: Callable[[], SourceOptions], tmp_path: Path, harm: str
) -> None:
    broken = fill(tmp_path / "mine") / "kube-apiserver"
    match harm:
        case "not executable":
            broken.chmod(0o644)
        case "no program":
            broken.write_bytes(b"\x00\x01")
        case "fails":
            broken.write_text("#!/bin/sh\necho v1.37.2\necho no such library >&2\nexit 3\n")
        case "says nothing":
            broken.write_text("#!/bin/sh\n")
    with pytest.raises(UsageError, match=r"mine/kube-apiserver( cannot be run| --version` ended with)"):
        provide(options=only())


def test_a_directory_that_is_not_there_is_a_usage_error(only: Callable[[], SourceOptions]) -> None:
    with pytest.raises(UsageError, match="there is no such directory"):
        provide(options=only())


def test_an_empty_directory_is_named_when_nothing_works(only: Callable[[], SourceOptions], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(ArtifactError, match=r"directory: .*mine holds none of kube-apiserver"):
        provide(options=only())


def test_a_look_that_cannot_be_remembered_only_costs_the_next_one(
    only: Callable[[], SourceOptions], tmp_path: Path
) -> None:
    fill(tmp_path / "mine")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/directories").write_text("a file where a folder should be")
    assert provide(options=only()) == provide(options=only())
