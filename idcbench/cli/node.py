"""``idcbench node``: hosts that come to a cluster, leave it, and are replaced."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from ..hosts.inventory_file import read_inventory
from ..provisioning.kubeadm import nodes
from .rooms import flat, told

file_argument = click.argument("file", type=click.Path(path_type=Path))
host_argument = click.argument("host")
bundle_option = click.option("--bundle", type=click.Path(path_type=Path), help="What the hosts are made from.")
timeout_option = click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=1), default=nodes.DRAIN_S, show_default=True,
    metavar="SECONDS", help="How long moving its pods may take.",
)  # fmt: skip
force_option = click.option("--force", is_flag=True, help="Do not move its pods first.")


@click.group()
def node() -> None:
    """Hosts of an inventory that come to their cluster, leave it, or are replaced; control planes too."""


@node.command()
@file_argument
@click.argument("hosts", nargs=-1, required=True)
@bundle_option
def add(file: Path, hosts: tuple[str, ...], bundle: Path | None) -> None:
    """Make HOSTS, which are in the inventory, members of its cluster; others that are none stay none."""
    done = asyncio.run(flat(nodes.add(read_inventory(file), hosts, bundle=bundle, say=told())))
    click.echo(f"{', '.join(hosts)}: in the cluster, after {done.seconds:.1f} s")


@node.command()
@file_argument
@host_argument
@bundle_option
@timeout_option
@force_option
def remove(file: Path, host: str, **given: Any) -> None:
    """Take HOST out of the cluster and leave it as it was found. One that is off does not come back by itself."""
    cleaned = asyncio.run(flat(nodes.remove(read_inventory(file), host, say=told(), **given)))
    click.echo(f"{host}: is out of the cluster; take it out of {file}, or the next `up` brings it in again")
    if not cleaned:
        click.echo(
            f"{host}: could not be reached, so its disk still has what the cluster gave it; its node is refused and it "
            "does not start when it asks the cluster, but wipe it before it serves for something else"
        )


@node.command()
@file_argument
@host_argument
@bundle_option
@timeout_option
@force_option
def replace(file: Path, host: str, **given: Any) -> None:
    """Make the machine that stands in for HOST a member under its name; one that still lives leaves first."""
    done = asyncio.run(flat(nodes.replace_host(read_inventory(file), host, say=told(), **given)))
    click.echo(f"{host}: in the cluster again, after {done.seconds:.1f} s")


@node.command()
@file_argument
@host_argument
@timeout_option
def drain(file: Path, host: str, timeout_s: float) -> None:
    """Move the pods of HOST elsewhere and let no new ones on it."""
    asyncio.run(flat(nodes.drain(read_inventory(file), host, timeout_s=timeout_s, say=told())))


@node.command()
@file_argument
@host_argument
def uncordon(file: Path, host: str) -> None:
    """Let pods on HOST again."""
    asyncio.run(flat(nodes.uncordon(read_inventory(file), host, say=told())))
