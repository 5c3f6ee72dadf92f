"""The image, built by the command that users have; kept by the digest of what goes into it."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from locked_container import furnish
from oci_layout import Layout, read

from idcbench.cli.scheduler_image import ours
from idcbench.provisioning.artifacts.options import default_cache
from idcbench.scheduler.deploy import image as recipe

BUILD_LIMIT_S = 1200.0


@pytest.fixture(scope="session")
def image_file() -> Path:
    """The image as `idcbench scheduler image` makes it: some two minutes when something of it changed, else none."""
    if not _is_debian_12():
        pytest.skip("the base of the image comes from this machine's apt, and Debian 12's is wanted")
    folder = default_cache() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_digest()}.tar"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            for old in folder.glob("*.tar"):
                old.unlink()
            command = [sys.executable, "-m", "idcbench.cli.main", "scheduler", "image", "-o", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False)
            assert done.returncode == 0, done.stderr
            assert read(path).digest in done.stdout
    return path


@pytest.fixture(scope="session")
def layout(image_file: Path) -> Layout:
    return read(image_file)


@pytest.fixture(scope="session")
def root(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The image unpacked, with a runtime's mount points; removed at the end, since it is large."""
    root = tmp_path_factory.mktemp("image") / "root"
    layout.unpack(root)
    furnish(root)
    yield root
    shutil.rmtree(root)


def _is_debian_12() -> bool:
    """With the tools that every Debian has."""
    told = Path("/etc/os-release")
    return told.exists() and "VERSION_CODENAME=bookworm" in told.read_text() and bool(shutil.which("apt-get"))


def _digest() -> str:
    """Of idcbench as it is here, and of the versions that go with it; Debian's own are whatever apt found."""
    digest = hashlib.sha256(" ".join(f"{name} {version(name)}" for name in recipe.DISTRIBUTIONS).encode())
    for path, entry in sorted(ours().items()):
        digest.update(f"{path} {entry.mode} {len(entry.content or b'')} ".encode() + (entry.content or b""))
    return digest.hexdigest()[:16]
