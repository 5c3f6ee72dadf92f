"""The official releases, or a mirror of them with the same paths."""

from __future__ import annotations

import re
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ...progress import Progress
from .download import fetch_file, fetch_text, shown
from .failure import WayFailedError
from .options import Patience
from .parts import Part

KUBERNETES_SITE = "https://dl.k8s.io"
GITHUB = "https://github.com"
GITHUB_API = "https://api.github.com"
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Beside:
    """The digest is the first word of a file next to the asset (``NAME.sha256``)."""

    url: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The digest is on the asset's line of a list, as sha256sum writes it (``SHA256SUMS``)."""

    url: str


@dataclass(frozen=True, slots=True)
class Described:
    """The digest is in what GitHub's API says about the release: KWOK publishes no file of digests."""

    url: str


Checksum = Beside | Listed | Described


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file of a release. ``member`` is the program's path inside it when it is an archive."""

    binary: str
    url: str
    checksum: Checksum
    member: str = ""

    @property
    def file(self) -> str:
        """Its name in the release."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where releases are: the official sites, or below one base URL that holds the same paths."""

    mirror: str | None
    name: str
    provenance: str

    def base(self, official: str) -> str:
        """The URL that stands in front of the paths of an official site."""
        return official if self.mirror is None else self.mirror.rstrip("/")


def site_of(mirror: str | None) -> Site:
    """The official sites, or the mirror that replaces them."""
    if mirror is None:
        return Site(mirror=None, name="official release", provenance="official release")
    return Site(mirror=mirror, name=f"mirror {shown(mirror)}", provenance="mirror of the official release")


def source_of(part: Part, site: Site) -> str:
    """Where a part's files are, for the record."""
    return shown(assets_of(part, site)[0].url).rpartition("/")[0]


def assets_of(part: Part, site: Site) -> list[Asset]:
    """The files of a part. Raises :class:`~.failure.WayFailedError` when no programs of it are published."""
    arch, version = part.arch, part.version
    match part.name:
        case "kubernetes":
            urls = {n: f"{site.base(KUBERNETES_SITE)}/release/v{version}/bin/linux/{arch}/{n}" for n in part.binaries}
            return [Asset(binary=name, url=url, checksum=Beside(f"{url}.sha256")) for name, url in urls.items()]
        case "etcd":
            folder = f"{site.base(GITHUB)}/etcd-io/etcd/releases/download/v{version}"
            name = f"etcd-v{version}-linux-{arch}"
            sums = Listed(f"{folder}/SHA256SUMS")
            return [Asset(binary="etcd", url=f"{folder}/{name}.tar.gz", checksum=sums, member=f"{name}/etcd")]
        case "kwok":
            url = f"{site.base(GITHUB)}/kubernetes-sigs/kwok/releases/download/v{version}/kwok-linux-{arch}"
            api = f"{GITHUB_API}/repos/kubernetes-sigs/kwok/releases/tags/v{version}"
            checksum = Described(api) if site.mirror is None else Beside(f"{url}.sha256")
            return [Asset(binary="kwok", url=url, checksum=checksum)]
        case "coredns":
            folder = f"{site.base(GITHUB)}/coredns/coredns/releases/download/v{version}"
            return _packed(part, f"{folder}/coredns_{version}_linux_{arch}.tgz")
        case "cni-plugins":
            folder = f"{site.base(GITHUB)}/containernetworking/plugins/releases/download/v{version}"
            return _packed(part, f"{folder}/cni-plugins-linux-{arch}-v{version}.tgz", inside="./")
        case "crictl":
            folder = f"{site.base(GITHUB)}/kubernetes-sigs/cri-tools/releases/download/v{version}"
            return _packed(part, f"{folder}/crictl-v{version}-linux-{arch}.tar.gz")
        case "flannel" | "metrics-server":
            raise WayFailedError(f"{part.title} is published as an image, not as a program with a digest")


def _packed(part: Part, url: str, *, inside: str = "") -> list[Asset]:
    """All programs of a part in one archive, with its digest in a file beside it."""
    checksum = Beside(f"{url}.sha256")
    return [Asset(binary=name, url=url, checksum=checksum, member=f"{inside}{name}") for name in part.binaries]


def has(part: Part, *, site: Site, patience: Patience) -> bool:
    """Whether the site has this part; false when it cannot be asked."""
    try:
        expected_digest(assets_of(part, site)[0], patience=patience)
    except WayFailedError:
        return False
    return True


def fetch(part: Part, staging: Path, *, site: Site, patience: Patience, progress: Progress) -> Path:
    """Fetch all programs of the part; returns a folder in ``staging`` that holds them under their names.

    A killed or cut fetch goes on where it was. Raises :class:`~.failure.WayFailedError`.
    """
    arrived = staging / "download"
    arrived.mkdir(parents=True, exist_ok=True)
    assets = assets_of(part, site)
    for number, asset in enumerate(assets, 1):
        progress(f"asking {site.name} for {part.title}")
        digest = expected_digest(asset, patience=patience)
        of = f" ({number} of {len(assets)})" if len(assets) > 1 else ""
        what = f"downloading {asset.binary} {part.version}{of}"
        fetch_file(asset.url, arrived / asset.file, digest=digest, what=what, progress=progress, patience=patience)
    whole = staging / "out"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir()
    for asset in assets:
        _unpack(asset, arrived / asset.file, whole / asset.binary)
    return whole


def expected_digest(asset: Asset, *, patience: Patience) -> str:
    """The sha256 that the publisher names. Raises WayFailedError when there is none, or the site cannot be reached."""
    text = fetch_text(asset.checksum.url, patience=patience)
    match asset.checksum:
        case Beside():
            named = text.split()[:1]
        case Listed():
            lines = (line.split() for line in text.splitlines())
            named = [words[0] for words in lines if len(words) == 2 and words[1].lstrip("*") == asset.file]
        case Described():
            named = _described(text, asset.file)
    found = _DIGEST.fullmatch(named[0].lower()) if named else None
    if not found:
        raise WayFailedError(
            f"{shown(asset.checksum.url)}: names no sha256 of {asset.file}, and unchecked files are not used"
        )
    return found[1]


class _DescribedAsset(msgspec.Struct):
    name: str
    digest: str | None = None


class _DescribedRelease(msgspec.Struct):
    assets: list[_DescribedAsset]


def _described(text: str, file: str) -> list[str]:
    try:
        release = msgspec.json.decode(text, type=_DescribedRelease)
    except msgspec.MsgspecError:
        return []
    return [asset.digest for asset in release.assets if asset.name == file and asset.digest]


def _unpack(asset: Asset, file: Path, program: Path) -> None:
    if not asset.member:
        file.rename(program)
        return
    try:
        with tarfile.open(file) as archive:
            source = archive.extractfile(asset.member)
            if source is None:
                raise KeyError(asset.member)
            with source, program.open("wb") as target:
                shutil.copyfileobj(source, target)
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise WayFailedError(f"{shown(asset.url)}: holds no program {asset.member}: {error}") from error
