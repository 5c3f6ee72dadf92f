"""``idcbench certs``: until when the certificates of a cluster on hosts are good, and new ones."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import click
from tabulate import tabulate

from ..hosts.inventory_file import read_inventory
from ..provisioning.kubeadm import certificates
from .rooms import flat, told

SOON = 1
"""The exit code of ``show`` when a certificate expires soon."""
file_argument = click.argument("file", type=click.Path(path_type=Path), default="inventory.yaml")


@click.group()
def certs() -> None:
    """The certificates of a cluster on the hosts of an inventory."""


@certs.command(epilog="Exit codes: 0 all are good for longer, 1 one is not.")
@file_argument
@click.option("--days", type=click.IntRange(0), default=30, show_default=True, help="What counts as soon.")
def show(file: Path, days: int) -> int:
    """Say until when each certificate is good; for a timer that watches them: the exit code."""
    now, say = certificates.now(), partial(click.echo, err=True)
    found = asyncio.run(flat(certificates.expiries(read_inventory(file), say=say)))
    rows = [(one.host, one.path, f"{one.until:%Y-%m-%d}", one.left(now).days, one.renewal) for one in found]
    click.echo(tabulate(rows, headers=["host", "certificate", "good until", "days left", "renewed by"]))
    soon = [one for one in found if one.left(now).days < days]
    if soon:
        ours = sum(one.renewal == certificates.BY_US for one in soon)
        click.echo(f"\n{len(soon)} expire within {days} days" + (f"; `idcbench certs renew {file}`" if ours else ""))
    return SOON if soon else 0


@certs.command()
@file_argument
def renew(file: Path) -> None:
    """Make new certificates on every control plane, one after the other, and start its components anew with them."""
    asyncio.run(flat(certificates.renew(read_inventory(file), say=told())))
    click.echo(f"kubelets renew their own; administrators: idcbench kubeconfig {file} gives new credentials")
