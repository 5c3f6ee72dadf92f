"""The layout of the official releases, official or mirrored, and the digests they publish."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from idcbench.errors import ArtifactError, UsageError
from idcbench.provisioning.artifacts import SourceOptions, provide
from idcbench.provisioning.artifacts.failure import WayFailedError
from idcbench.provisioning.artifacts.parts import BINARIES, Part, machine_arch
from idcbench.provisioning.artifacts.release import (
    Asset,
    Beside,
    Described,
    Listed,
    assets_of,
    expected_digest,
    site_of,
)

from .conftest import QUICK, Said, Site, sha256

KUBERNETES = Part("kubernetes", "1.37.2", "amd64")
ETCD = Part("etcd", "3.7.3", "arm64")
KWOK = Part("kwok", "0.8.0", "amd64")


def test_the_official_layout() -> None:
    official = site_of(None)
    kubelet = next(asset for asset in assets_of(KUBERNETES, official) if asset.binary == "kubelet")
    assert kubelet.url == "https://dl.k8s.io/release/v1.37.2/bin/linux/amd64/kubelet"
    assert kubelet.checksum == Beside(f"{kubelet.url}.sha256")
    folder = "https://github.com/etcd-io/etcd/releases/download/v3.7.3"
    assert assets_of(ETCD, official) == [
        Asset(
            binary="etcd",
            url=f"{folder}/etcd-v3.7.3-linux-arm64.tar.gz",
            checksum=Listed(f"{folder}/SHA256SUMS"),
            member="etcd-v3.7.3-linux-arm64/etcd",
        )
    ]
    (kwok,) = assets_of(KWOK, official)
    assert kwok.url == "https://github.com/kubernetes-sigs/kwok/releases/download/v0.8.0/kwok-linux-amd64"
    assert kwok.checksum == Described("https://api.github.com/repos/kubernetes-sigs/kwok/releases/tags/v0.8.0")


def test_a_mirror_has_the_same_paths_and_replaces_every_official_site() -> None:
    mirror = site_of("https://mirror.example/k8s/")
    urls = [
        url for part in (KUBERNETES, ETCD, KWOK) for a in assets_of(part, mirror) for url in (a.url, a.checksum.url)
    ]
    assert all(url.startswith("https://mirror.example/k8s/") and "//" not in url[8:] for url in urls)
    assert assets_of(KWOK, mirror)[0].checksum == Beside(f"{assets_of(KWOK, mirror)[0].url}.sha256")
    assert len(assets_of(KUBERNETES, mirror)) == len(BINARIES["kubernetes"]) == 7


DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("checksum", "text"),
    [
        (Beside, DIGEST),
        (Beside, f"{DIGEST.upper()}  NAME\n"),
        (Listed, f"{'0' * 64}  other\n{DIGEST}  file\n"),
        (Listed, f"{DIGEST} *file\n"),
        (Described, json.dumps({"assets": [{"name": "other"}, {"name": "file", "digest": f"sha256:{DIGEST}"}]})),
    ],
)
def test_each_form_of_digest_is_read(site: Site, checksum: type[Beside | Listed | Described], text: str) -> None:
    site.files["/sums"] = text.encode()
    asset = Asset(binary="b", url=f"{site.url}/file", checksum=checksum(f"{site.url}/sums"))
    assert expected_digest(asset, patience=QUICK) == DIGEST


@pytest.mark.parametrize(
    ("checksum", "text"),
    [
        (Beside, ""),
        (Beside, "<html>not found</html>"),
        (Listed, f"{DIGEST}  another-file\n"),
        (Described, "rate limit exceeded"),
        (Described, json.dumps({"assets": [{"name": "file", "digest": None}]})),
    ],
)
def test_what_has_no_digest_is_not_used(site: Site, checksum: type[Beside | Listed | Described], text: str) -> None:
    site.files["/sums"] = text.encode()
    asset = Asset(binary="b", url=f"{site.url}/file", checksum=checksum(f"{site.url}/sums"))
    with pytest.raises(WayFailedError, match="names no sha256 of file, and unchecked files are not used"):
        expected_digest(asset, patience=QUICK)


def test_everything_from_a_mirror(site: Site, options: Callable[..., SourceOptions], said: Said) -> None:
    site.add_release()
    got = provide(options=options(mirror=site.url, build=False), progress=said)
    assert (got.kubernetes, got.etcd, got.kwok) == ("1.37.2", "3.7.3", "0.8.0")
    assert got.provenance == "mirror of the official release"
    for name in (*BINARIES["kubernetes"], "etcd", "kwok"):
        assert (got.folder / name).is_symlink()
        assert not (got.folder / name).readlink().is_absolute()
        assert (got.folder / name).read_bytes().startswith(b"#!/bin/sh\n")
        assert (got.folder / name).stat().st_mode & 0o111 == 0o111
        assert len(got.digests[name]) == 64
    assert "downloading kube-proxy 1.37.2 (4 of 7)" in said.lines
    assert list((options().cache / "staging").iterdir()) == []


def test_a_second_call_asks_nobody(site: Site, options: Callable[..., SourceOptions]) -> None:
    site.add_release()
    first = provide(options=options(mirror=site.url))
    site.asked.clear()
    assert provide("1.37.2", options=options(mirror=site.url)) == first
    assert provide(options=options(download=False, build=False)) == first
    assert site.asked == []


def test_a_broken_fetch_keeps_what_is_whole(site: Site, options: Callable[..., SourceOptions]) -> None:
    site.add_release()
    kubelet = f"/release/v1.37.2/bin/linux/{machine_arch()}/kubelet"
    site.cuts[kubelet] = [100] * 3
    with pytest.raises(ArtifactError, match="kubelet: cut after 300 of"):
        provide(options=options(mirror=site.url, build=False))
    site.asked.clear()
    provide(options=options(mirror=site.url, build=False))
    assert site.fetched("/kube-apiserver") == []
    assert site.fetched("/kubelet") == ["bytes=300-"]


def test_a_wrong_digest_is_told_with_the_remedy(site: Site, options: Callable[..., SourceOptions]) -> None:
    site.add_release()
    site.files[f"/release/v1.37.2/bin/linux/{machine_arch()}/kubectl"] += b"!"
    with pytest.raises(ArtifactError) as failed:
        provide(options=options(mirror=site.url, build=False))
    assert "wrong digest" in str(failed.value)
    assert "try another --mirror" in str(failed.value)
    assert list((options().cache / "store").glob("*/*")) == []


def test_an_archive_without_the_program_is_told(site: Site, options: Callable[..., SourceOptions]) -> None:
    site.add_release()
    sums = "/etcd-io/etcd/releases/download/v3.7.3/SHA256SUMS"
    (path,) = [path for path in site.files if path.endswith(".tar.gz")]
    site.files[path] = b"not an archive"
    site.files[sums] = b"%s  %s" % (b"7" * 64, path.rpartition("/")[2].encode())
    with pytest.raises(ArtifactError, match="wrong digest"):
        provide(options=options(mirror=site.url, build=False))
    site.files[sums] = f"{sha256(site.files[path])}  {path.rpartition('/')[2]}".encode()
    with pytest.raises(ArtifactError, match="holds no program etcd-v"):
        provide(options=options(mirror=site.url, build=False))


@pytest.mark.parametrize("mirror", ["mirror.example", "ftp://a.example", "https://", "http://x:port/", "/srv/mirror"])
def test_a_mirror_that_is_no_url_is_a_usage_error(options: Callable[..., SourceOptions], mirror: str) -> None:
    with pytest.raises(UsageError, match="not an http or https URL"):
        provide(options=options(mirror=mirror))


def test_a_mirror_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDCBENCH_MIRROR", "https://mirror.example")
    assert SourceOptions().mirror == "https://mirror.example"
    monkeypatch.setenv("IDCBENCH_MIRROR", "")
    assert SourceOptions().mirror is None


def test_no_password_of_a_mirror_is_recorded(site: Site, options: Callable[..., SourceOptions]) -> None:
    site.add_release()
    got = provide(options=options(mirror=site.url.replace("://", "://me:secret@")))
    manifests = list(options().cache.glob("store/*/*/manifest.json"))
    assert len(manifests) == 3
    assert not any("secret" in manifest.read_text() for manifest in manifests)
    assert "secret" not in repr(got)
