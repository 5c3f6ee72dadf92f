"""The parts that only bundles need: where they come from, and what becomes of what was kept for bundles."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from idcbench.errors import ArtifactError
from idcbench.progress import silent
from idcbench.provisioning.artifacts import SourceOptions
from idcbench.provisioning.artifacts.parts import BINARIES, Part, ask_version, machine_arch
from idcbench.provisioning.artifacts.provide import provide_parts
from idcbench.provisioning.artifacts.recipes import RECIPES, link_flags
from idcbench.provisioning.artifacts.release import Beside, assets_of, site_of
from idcbench.provisioning.artifacts.store import Store
from idcbench.provisioning.artifacts.upkeep import prune

from .conftest import Site, program, sha256, tar

PLUGINS = Part("cni-plugins", "1.9.1", machine_arch())


def test_plugins_come_out_of_one_archive_that_is_fetched_once(
    site: Site, options: Callable[..., SourceOptions]
) -> None:
    path = f"/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-{PLUGINS.arch}-v1.9.1.tgz"
    names = BINARIES["cni-plugins"]
    site.files[path] = tar({f"./{name}": program(f"CNI {name} plugin v1.9.1") for name in names})
    site.files[f"{path}.sha256"] = f"{sha256(site.files[path])}  {path.rpartition('/')[2]}\n".encode()
    (entry,) = provide_parts([PLUGINS], "1.37", options=options(mirror=site.url, build=False), progress=silent)
    assert {ask_version(entry.folder / name) for name in names} == {"1.9.1"}
    assert site.fetched(".tgz") == [None]


def test_the_layout_of_the_official_releases() -> None:
    (coredns,) = assets_of(Part("coredns", "1.14.6", "arm64"), site_of(None))
    assert coredns.url == "https://github.com/coredns/coredns/releases/download/v1.14.6/coredns_1.14.6_linux_arm64.tgz"
    assert (coredns.member, coredns.checksum) == ("coredns", Beside(f"{coredns.url}.sha256"))
    (crictl,) = assets_of(Part("crictl", "1.37.0", "amd64"), site_of("http://mirror"))
    assert (
        crictl.url
        == "http://mirror/kubernetes-sigs/cri-tools/releases/download/v1.37.0/crictl-v1.37.0-linux-amd64.tar.gz"
    )


def test_what_is_published_as_an_image_only_is_compiled_or_not_to_be_had(
    site: Site, options: Callable[..., SourceOptions]
) -> None:
    with pytest.raises(ArtifactError, match=r"flannel 0\.26\.7 is published as an image, not as a program"):
        provide_parts(
            [Part("flannel", "0.26.7", machine_arch())],
            "1.37",
            options=options(mirror=site.url, build=False),
            progress=silent,
        )


def test_a_build_with_a_c_compiler_is_static_and_says_when_there_is_none(
    options: Callable[..., SourceOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = link_flags(RECIPES["flannel"], version="0.26.7", commit="", date="")
    assert flags.endswith('-X github.com/flannel-io/flannel/pkg/version.Version=v0.26.7 -extldflags "-static"')
    go = tmp_path / "bin/go"
    go.parent.mkdir()
    go.write_text('#!/bin/sh\necho \'{"GOVERSION": "go1.26.8", "GOTOOLCHAIN": "auto", "GOCACHE": "/tmp/none"}\'\n')
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(go.parent))
    with pytest.raises(ArtifactError, match=r"flannel 0\.26\.7 needs a C compiler, and there is no gcc on PATH"):
        provide_parts(
            [Part("flannel", "0.26.7", machine_arch())], "1.37", options=options(download=False), progress=silent
        )


def test_prune_removes_what_bundles_were_made_of_unless_it_was_used_of_late(tmp_path: Path) -> None:
    for name in ("pressed", "apt"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x" * 10)
    long_ago = time.time() - 7200
    os.utime(tmp_path / "pressed", (long_ago, long_ago))
    assert [(one.what, one.size_bytes) for one in prune(Store(tmp_path), keep=1)] == [("pressed of bundles", 10)]
    assert not (tmp_path / "pressed").exists()
    assert (tmp_path / "apt/file").exists()
