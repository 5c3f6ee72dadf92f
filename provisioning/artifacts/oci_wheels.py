"""Python distributions in an image: wheels fetched by pip, or found in a folder, and unpacked."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ...errors import ArtifactError
from .oci_layer import Entries, Entry

LIMIT_S = 900.0
PLATFORMS = tuple(f"manylinux{tag}_x86_64" for tag in ("_2_28", "_2_27", "_2_26", "_2_24", "_2_17", "2014", "_2_12"))
"""What a glibc of Debian 12 (2.36) runs; none beyond what such wheels are made for."""


def wheels(names: Sequence[str], *, below: str, work: Path, python: str, offline: Path | None) -> Entries:
    """The distributions, in the very versions that are installed here, as they lie ``below`` the root.

    ``python`` is the version of the image's interpreter, ``3.11``; ``offline`` a folder of wheels to take instead of
    a download. Raises :class:`ArtifactError`.
    """
    where = ["--no-index", f"--find-links={offline}"] if offline else []
    argv = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", *(f"--platform={platform}" for platform in PLATFORMS), f"--python-version={python}",
        "--implementation=cp", f"--dest={work}", *where, *(f"{name}=={_version(name)}" for name in names),
    ]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode:
        raise ArtifactError(f"wheels: {done.stderr.strip()[-2000:]}; give a folder that has them with --wheels")
    found: Entries = {}
    for wheel in sorted(work.glob("*.whl")):
        found |= unpacked(wheel, below=below)
    return found


def unpacked(wheel: Path, *, below: str) -> Entries:
    """The files of a wheel, those of its ``.data/{purelib,platlib}`` in their place; scripts and headers are left out.

    The record of the installer is not written: nobody uninstalls in an image.
    """
    found: Entries = {}
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            path = info.filename
            if info.is_dir() or ".." in path.split("/"):
                continue
            first, _, rest = path.partition("/")
            if first.endswith(".data"):
                kind, _, path = rest.partition("/")
                if kind not in ("purelib", "platlib"):
                    continue
            found[f"{below}/{path}"] = Entry(archive.read(info))
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        raise ArtifactError(f"{name} is not installed here, so it is not known which version was tried") from None
