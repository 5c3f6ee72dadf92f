"""The base of an image out of Debian packages, by apt and dpkg as they are on this machine; no root is needed.

apt checks signatures and digests, and finds what the packages need. Their maintainer scripts are not run: what these
packages are used for here needs none.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from ...errors import ArtifactError
from .oci_layer import Entries, Entry, read_tar

LIMIT_S = 600.0
WITHOUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian", "var/cache",
           "var/log", "usr/share/bug", "usr/share/perl5", "usr/share/debconf")  # fmt: skip
"""What nobody reads in an image."""


def debian(packages: Sequence[str], *, work: Path) -> tuple[Entries, list[str]]:
    """The files of the packages and of all that they need, and the names of the package files, with versions.

    ``work`` is a folder for the downloads. Raises :class:`ArtifactError`.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise ArtifactError(f"{tool} is wanted to make the base of an image; run this on Debian, or give --base")
    _download(packages, work)
    files = sorted(work.glob("*.deb"))
    return unpacked(files), [file.stem for file in files]


def unpacked(files: Sequence[Path]) -> Entries:
    """What package files hold, but for what nobody reads in an image. Raises :class:`ArtifactError`."""
    found: Entries = {}
    for file in files:
        with tarfile.open(fileobj=io.BytesIO(_run("dpkg-deb", "--fsys-tarfile", str(file)))) as archive:
            found |= dict(read_tar(archive))
    return without(found, WITHOUT)


def _download(packages: Sequence[str], work: Path) -> None:
    """By the machine's own lists of packages; where they are missing or too old, by fresh ones in ``work``."""
    (work / "partial").mkdir(parents=True)
    (work / "status").touch()
    options = (
        "-qq", "-o", f"Dir::State::status={work / 'status'}", "-o", f"Dir::Cache::archives={work}",
        "-o", "Debug::NoLocking=1", "-o", "APT::Install-Recommends=false", "-o", "APT::Sandbox::User=",
    )  # fmt: skip
    install = ("--yes", "--download-only", "install", *packages)
    try:
        _run("apt-get", *options, *install)
    except ArtifactError:
        fresh = (
            "-o",
            f"Dir::State::lists={work / 'lists'}",
            "-o",
            "Dir::Cache::pkgcache=",
            "-o",
            "Dir::Cache::srcpkgcache=",
        )
        (work / "lists" / "partial").mkdir(parents=True)
        _run("apt-get", *options, *fresh, "update")
        _run("apt-get", *options, *fresh, *install)


def given(base: Path) -> Entries:
    """The files of a tar with a whole base. Raises :class:`ArtifactError`."""
    try:
        with tarfile.open(base) as archive:
            return dict(read_tar(archive))
    except (OSError, tarfile.TarError, ValueError) as error:
        raise ArtifactError(f"--base {base}: a tar of a root file system is wanted; found: {error}") from None


def without(entries: Entries, prefixes: Sequence[str]) -> Entries:
    return {
        path: entry
        for path, entry in entries.items()
        if not any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)
    }


def users(*, uid: int) -> Entries:
    """``/etc/passwd`` and ``/etc/group`` with root and one user, and an empty ``/tmp``."""
    return {
        "etc/passwd": Entry(f"root:x:0:0:root:/:/nologin\nnonroot:x:{uid}:{uid}::/:/nologin\n".encode()),
        "etc/group": Entry(f"root:x:0:\nnonroot:x:{uid}:\n".encode()),
        "etc/nsswitch.conf": Entry(b"hosts: files dns\n"),
        "tmp": Entry(mode=0o1777),
        "proc": Entry(mode=0o755),
    }


def _run(*argv: str) -> bytes:
    try:
        done = subprocess.run(argv, capture_output=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        raise ArtifactError(f"{argv[0]} did not end within {LIMIT_S:g} s") from None
    if done.returncode:
        raise ArtifactError(f"{argv[0]}: {done.stderr.decode(errors='replace').strip()[-2000:]}")
    return done.stdout
