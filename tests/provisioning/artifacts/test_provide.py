"""The order of the ways, what is said on the way, and the one error when nothing works."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from idcbench.errors import ArtifactError
from idcbench.provisioning.artifacts import SourceOptions, provide
from idcbench.provisioning.artifacts.options import default_cache
from idcbench.provisioning.artifacts.parts import BINARIES

from .conftest import FakeGo, Said, Site


def test_the_release_goes_before_a_build_and_the_choice_is_shown(
    site: Site, fake_go: FakeGo, options: Callable[..., SourceOptions], said: Said
) -> None:
    site.add_release()
    for path in [path for path in site.files if "kwok" in path]:
        del site.files[path]
    got = provide(options=options(mirror=site.url), progress=said)
    assert got.provenance == (
        "Kubernetes, etcd: mirror of the official release; KWOK: built from Go modules (go1.26.8)"
    )
    assert len(fake_go.calls("build")) == 1
    assert any(line.startswith(f"KWOK 0.8.0: mirror {site.url}: ") and "HTTP 404" in line for line in said.lines)
    said.lines.clear()
    provide(options=options(mirror=site.url), progress=said)
    assert said.lines == [
        "Kubernetes 1.37.2: in the cache (mirror of the official release)",
        "etcd 3.7.3: in the cache (mirror of the official release)",
        "KWOK 0.8.0: in the cache (built from Go modules (go1.26.8))",
    ]


def test_when_nothing_works_one_error_names_each_way_and_what_to_type(
    site: Site, fake_go: FakeGo, options: Callable[..., SourceOptions]
) -> None:
    fake_go.version = "go1.19.8"
    fake_go.save()
    with pytest.raises(ArtifactError) as failed:
        provide(options=options(mirror=site.url))
    lines = str(failed.value).splitlines()
    assert lines[0] == "Kubernetes 1.37.2 could not be provided. Tried, in this order:"
    ways = [line.removeprefix("  - ").partition(": ")[0] for line in lines if line.startswith("  - ")]
    assert ways == ["directory", "cache", f"mirror {site.url}", "build from Go modules"]
    for told in ("--artifacts DIR", str(options().cache), "HTTP 404", "IDCBENCH_MIRROR", "go1.19.8", "install"):
        assert told in str(failed.value)
    assert failed.value.exit_code == 6


def test_what_is_forbidden_is_named_as_such(options: Callable[..., SourceOptions]) -> None:
    with pytest.raises(ArtifactError, match=r"(?s)not allowed \(--no-download\).*not allowed \(--no-build\)"):
        provide(options=options(download=False, build=False))


def test_without_a_network_the_error_comes_within_seconds(
    options: Callable[..., SourceOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")  # stands for a network that refuses
    began = time.monotonic()
    with pytest.raises(ArtifactError, match=r"official release: https://dl\.k8s\.io/.*refused"):
        provide(options=options(build=False))
    assert time.monotonic() - began < 5


def test_a_warm_cache_reads_no_program(fake_go: FakeGo, options: Callable[..., SourceOptions]) -> None:
    first = provide(options=options(download=False))
    shutil.rmtree(fake_go.state.parent / "go-bin")
    for folder in options().cache.glob("store/*/*"):
        for program in folder.iterdir():
            if program.name != "manifest.json" and not program.is_symlink():
                program.chmod(0o000)
    assert provide(options=options(download=False)) == first


@pytest.mark.usefixtures("fake_go")
def test_the_folder_of_links_is_made_anew_when_it_was_harmed(options: Callable[..., SourceOptions]) -> None:
    got = provide(options=options(download=False))
    (got.folder / "etcd").unlink()
    (got.folder / "kwok").unlink()
    (got.folder / "kwok").symlink_to("/bin/false")
    again = provide(options=options(download=False))
    assert again == got
    assert all((again.folder / name).exists() for name in (*BINARIES["kubernetes"], "etcd", "kwok"))
    assert (again.folder / "kwok").resolve().name == "kwok"


@pytest.mark.usefixtures("fake_go")
def test_a_moved_cache_still_holds_together(options: Callable[..., SourceOptions], tmp_path: Path) -> None:
    got = provide(options=options(download=False))
    moved = shutil.move(options().cache, tmp_path / "moved")
    assert (Path(moved) / "sets" / got.folder.name / "kubelet").resolve(strict=True).name == "kubernetes"
    assert provide(options=options(cache=Path(moved), download=False, build=False)).digests == got.digests


def test_the_cache_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert default_cache() == Path("/var/cache/me/idcbench")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == Path.home() / ".cache/idcbench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache/idcbench"
