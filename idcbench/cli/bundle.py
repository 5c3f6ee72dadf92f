"""`idcbench bundle`: all that hosts need where there is no network, in one file."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from tabulate import tabulate

from ..errors import UsageError
from ..provisioning.artifacts import SourceOptions
from ..provisioning.artifacts.bundle import Bundle
from ..provisioning.artifacts.bundle_create import Wish, create
from ..provisioning.artifacts.bundle_schema import BundleEntry, BundleManifest
from ..provisioning.artifacts.bundle_serve import serve
from ..provisioning.artifacts.options import default_mirror
from ..provisioning.artifacts.packages import CODENAMES
from ..provisioning.artifacts.versions import DEFAULT
from .artifacts import Steps
from .display import Display

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group(name="bundle")
def bundle() -> None:
    """All that hosts need where there is no network, in one file."""


@bundle.command(name="create")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--kubernetes", metavar="VERSION", default=DEFAULT, show_default=True, help="1.37 or 1.37.2.")
@click.option(
    "--distribution",
    "distributions",
    multiple=True,
    default=("debian-12",),
    show_default=True,
    help=f"What the hosts run: {', '.join(CODENAMES)}. May be given again.",
)
@click.option("--artifacts", "directory", type=click.Path(path_type=Path), help="A directory with your own binaries.")
@click.option("--mirror", metavar="URL", help="A copy of the official releases (default: $IDCBENCH_MIRROR).")
@click.option(
    "--images-from", metavar="REGISTRY", default="", help="Copy Kubernetes' images from there; do not make them."
)
@click.option(
    "--image", "image_files", multiple=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Images of your own, as an OCI archive; hosts get them too. May be given again.",
)  # fmt: skip
def create_command(
    output: Path, kubernetes: str, distributions: tuple[str, ...], directory: Path | None, mirror: str | None,
    images_from: str, image_files: tuple[Path, ...],
) -> None:  # fmt: skip
    """Fetch or build programs, make images, fetch packages, and write them into one file."""
    options = SourceOptions(directory=directory, mirror=mirror or default_mirror())
    wish = Wish(
        kubernetes=kubernetes, distributions=distributions, options=options, images_from=images_from,
        image_files=image_files,
    )  # fmt: skip
    manifest = create(wish, output.absolute(), progress=Steps())
    click.echo(f"{output}: {_summary(manifest)}, {_megabytes(output.stat().st_size)}")


@bundle.command(name="list")
@_FILE
def list_command(file: Path) -> None:
    """Say what is in a bundle: versions, sizes, digests, where each is from."""
    opened = Bundle.open(file)
    rows = [_row(entry) for entry in opened.manifest.entries]
    click.echo(f"{_summary(opened.manifest)}; by {opened.manifest.created_by}")
    click.echo(tabulate(rows, headers=_HEADERS, disable_numparse=True))


@bundle.command(name="verify")
@_FILE
def verify_command(file: Path) -> None:
    """Read a bundle whole and compare every digest."""
    opened = Bundle.open(file)
    opened.verify(Display(sys.stderr))
    click.echo(f"{file}: {_summary(opened.manifest)}: all {len(opened.layout.blobs)} blobs are whole")


@bundle.command(name="serve")
@_FILE
@click.option("--bind", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
def serve_command(file: Path, bind: str, port: int) -> None:
    """Serve blobs, and images as a registry, to read: without TLS, to whoever reaches the address."""
    opened = Bundle.open(file)
    try:
        server = serve(opened, bind=bind, port=port)
    except OSError as error:
        raise UsageError(
            f"{bind}:{port} cannot be listened on: {error.strerror}; name others by --bind, --port"
        ) from None
    with server:
        click.echo(f"serving {file} on http://{bind}:{server.server_address[1]}; Ctrl-C ends it")
        server.serve_forever()


_HEADERS = ("kind", "name", "version", "size", "in the bundle", "sha256", "from")


def _row(entry: BundleEntry) -> tuple[str, ...]:
    stored = sum(blob.size_bytes for blob in entry.blobs)
    sizes = _megabytes(entry.size_bytes), _megabytes(stored)
    return entry.kind, entry.name, entry.version, *sizes, f"{entry.sha256[:12]}…", entry.origin


def _summary(manifest: BundleManifest) -> str:
    kinds = [entry.kind for entry in manifest.entries]
    return (
        f"Kubernetes {manifest.kubernetes} for {manifest.architecture}, {', '.join(manifest.distributions)}: "
        f"{kinds.count('binary')} binaries, {kinds.count('image')} images, {kinds.count('package')} packages"
    )


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
