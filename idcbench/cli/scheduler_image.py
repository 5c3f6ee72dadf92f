"""``idcbench scheduler image``: the scheduler's image, built here without Docker."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import click

import idcbench

from ..provisioning.artifacts.oci import Runtime, image, write_image
from ..provisioning.artifacts.oci_debian import debian, given, users, without
from ..provisioning.artifacts.oci_layer import Entries, Entry, lay_out, layer, tree
from ..provisioning.artifacts.oci_rooted import run_rooted
from ..provisioning.artifacts.oci_wheels import wheels
from ..scheduler.deploy import image as recipe
from ..scheduler.deploy.manifests import USER
from .display import Display

WARM_LIMIT_S = 1200.0


@click.command("image")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="file to write")
@click.option("--tag", default=recipe.REFERENCE, show_default=True, help="reference of the image")
@click.option("--base", type=click.Path(dir_okay=False, path_type=Path), help="tar of a base with Python 3.11")
@click.option("--wheels", "wheel_folder", type=click.Path(file_okay=False, path_type=Path), help="folder of wheels")
def build_image(output: Path, tag: str, base: Path | None, wheel_folder: Path | None) -> None:
    """Build the scheduler's image: an OCI layout in one tar, for `ctr images import` or `podman load`.

    Debian packages by apt, or a given base; wheels by pip, or of a folder; kernels compiled inside for any x86-64.
    """
    say = Display(sys.stderr)
    with tempfile.TemporaryDirectory(prefix="idcbench-image-") as folder:
        work = Path(folder)
        say("fetching Debian's packages")
        bottom = (given(base) if base else debian(recipe.PACKAGES, work=work / "debs")[0]) | users(uid=USER)
        say("fetching wheels")
        (work / "wheels").mkdir()
        middle = wheels(
            recipe.DISTRIBUTIONS, below=recipe.SITE, work=work / "wheels", python=recipe.PYTHON, offline=wheel_folder
        )
        middle, top = without(middle, recipe.WITHOUT), ours()
        say("compiling the kernels in the image")
        kernels = compiled(bottom | middle | top, work / "root")
    say("packing")
    layers = [layer(part) for part in (bottom, middle, top | kernels)]
    runtime = Runtime(
        entrypoint=recipe.ENTRYPOINT, user=recipe.USER_AND_GROUP, environment=recipe.ENVIRONMENT,
        labels={"org.opencontainers.image.version": idcbench.__version__},
    )  # fmt: skip
    made = image(layers, runtime, reference=tag)
    write_image(output, made)
    say("")
    click.echo(f"{output}: {tag}, {output.stat().st_size / 2**20:.0f} MiB, {made.digest}")


def ours() -> Entries:
    """idcbench itself, as it is here."""
    return tree(Path(idcbench.__file__).parent, below=f"{recipe.SITE}/idcbench")


def compiled(entries: Entries, root: Path) -> Entries:
    """The kernels and the bytecode, compiled in the root that the entries make."""
    root.mkdir()
    lay_out(entries, root)
    (root / recipe.KERNELS).mkdir(parents=True)
    run_rooted(root, recipe.WARM, environment=recipe.BUILDING, limit_s=WARM_LIMIT_S)
    run_rooted(root, recipe.BYTECODE, environment=recipe.BUILDING, limit_s=WARM_LIMIT_S)
    bytecode = {path.relative_to(root).as_posix(): Entry(path.read_bytes()) for path in sorted(root.rglob("*.pyc"))}
    kernels = tree(root / recipe.KERNELS, below=recipe.KERNELS)
    return bytecode | {
        path: replace(entry, content=recipe.without_addresses(entry.content or b"")) for path, entry in kernels.items()
    }
