"""The host image: in the engine, else from the cache, else made by debootstrap out of the machine's own sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from ...progress import Progress
from ..artifacts.lock import alone
from ..artifacts.options import default_cache
from ..embedded.prerequisites import search_path
from .failure import LabError
from .recipe import PACKAGES, Recipe

BUILD_LIMIT_S = 1800.0
LABEL = "idcbench.lab.image"
BUILD = r"""set -eu
mount -t tmpfs -o mode=755 lab "$1"
debootstrap --variant=minbase --include="$2" "$3" "$1" $4 >&2
printf '%s' "$5" | chroot "$1" /bin/sh >&2
umount "$1/proc" "$1/sys" 2>/dev/null || true
tar -C "$1" --one-file-system --numeric-owner -c . | gzip -1
"""
"""In a mount namespace of its own, on memory: killed anywhere it leaves nothing."""


def ensure_image(client: docker.DockerClient, recipe: Recipe, *, progress: Progress) -> str:
    """The tag of the image, which is made when it is nowhere. Raises :class:`LabError`."""
    folder = default_cache() / "lab"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{recipe.distribution}-{recipe.digest}.tar.gz"
    with alone(folder / "image.lock", doing=f"the host image {recipe.distribution}", progress=progress):
        if not _there(client, recipe.tag):
            if not archive.exists():
                progress(f"making the host image {recipe.distribution}")
                _build(recipe, archive)
            progress(f"importing the host image {recipe.distribution}")
            repository, _, tag = recipe.tag.partition(":")
            changes = ['CMD ["/sbin/lab-boot"]', "ENV container=docker", f"LABEL {LABEL}={recipe.digest}"]
            client.api.import_image_from_file(str(archive), repository=repository, tag=tag, changes=changes)
            if not _there(client, recipe.tag):
                archive.unlink()
                raise LabError(
                    f"the Docker engine did not take {archive}, which is removed; call again to make it anew"
                )
    return recipe.tag


def _there(client: docker.DockerClient, tag: str) -> bool:
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def _build(recipe: Recipe, archive: Path) -> None:
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    path = search_path()
    if shutil.which("debootstrap", path=path) is None:
        raise LabError("debootstrap is wanted to make a host image; `sudo apt-get install debootstrap`")
    fresh = archive.with_suffix(".new")
    with tempfile.TemporaryDirectory(prefix="idcbench-lab-") as work, fresh.open("wb") as out:
        words = (work, ",".join(PACKAGES), recipe.suite, debian_source(), recipe.finish)
        argv = [*root, "unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-o", "pipefail", "-c", BUILD]
        log = archive.with_name(f"{recipe.distribution}.log")
        with log.open("wb") as said:
            try:
                done = subprocess.run(
                    [*argv, "build", *words], stdin=subprocess.DEVNULL, stdout=out, stderr=said, check=False,
                    timeout=BUILD_LIMIT_S, env={**os.environ, "PATH": path, "LC_ALL": "C"},
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise LabError(f"the host image was not made within {BUILD_LIMIT_S:g} s; see {log}") from None
    if done.returncode:
        last = (log.read_text(errors="replace").strip().splitlines() or ["no output"])[-1]
        raise LabError(f"the host image {recipe.distribution} could not be made: {last}; see {log}")
    fresh.rename(archive)


def debian_source() -> str:
    """Where this machine's own apt gets Debian from; empty where it does not: then debootstrap knows a place."""
    form = "$(REPO_URI) $(COMPONENT) $(ORIGIN) $(LABEL)"
    try:
        told = subprocess.run(
            ["apt-get", "indextargets", "--format", form, "Identifier: Packages"],
            capture_output=True, text=True, timeout=60, check=False,
        ).stdout  # fmt: skip
    except FileNotFoundError:
        return ""
    rows = [line.split() for line in told.splitlines()]
    return next((row[0] for row in rows if row[1:] == ["main", "Debian", "Debian"]), "")
