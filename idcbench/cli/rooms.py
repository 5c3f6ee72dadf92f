"""``idcbench up | repair | down | kubeconfig INVENTORY``: clusters on the machines of a server room."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
from tabulate import tabulate

from ..errors import ClusterError, IdcError, UsageError
from ..hosts.inventory_file import read_inventory
from ..provisioning.kubeadm.access import administrator
from ..provisioning.kubeadm.downing import take_down
from ..provisioning.kubeadm.status import status_of
from ..provisioning.kubeadm.upping import bring_up

Result = TypeVar("Result")


def up_inventory(path: Path, *, bundle: Path | None, dry_run: bool, repair: bool = False) -> None:
    """Make the cluster what the inventory says; prints the plan, each step, and what came of it."""
    inventory = read_inventory(path)
    anew = [host.name for host in inventory.hosts] if repair else []
    done = asyncio.run(flat(bring_up(inventory, bundle=bundle, say=told(), dry_run=dry_run, repair=anew)))
    if dry_run:
        click.echo(f"nothing was changed; without --dry-run {done.plan.changes} changes would be made")
        return
    what = f"{done.plan.changes} changes in {done.seconds:.1f} s" if done.plan.changes else "nothing to do"
    planes, workers = len(inventory.control_planes), len(inventory.workers)
    click.echo(
        f"cluster {inventory.name}: Kubernetes {done.version}, {planes} control plane{'s' * (planes != 1)}, "
        f"{workers} worker{'s' * (workers != 1)}: {what}"
    )
    click.echo(f"  endpoint    https://{inventory.endpoint.address}:{inventory.endpoint.port}")
    click.echo(f"  try         idcbench kubeconfig {path} -o kubeconfig; kubectl --kubeconfig kubeconfig get nodes")


def down_inventory(path: Path, *, confirm: str) -> None:
    """Take the cluster off its hosts and leave them as they were found."""
    inventory = read_inventory(path)
    asyncio.run(flat(take_down(inventory, confirm=confirm, say=click.echo)))
    click.echo(f"cluster {inventory.name} is gone")


def show_status(path: Path) -> int:
    """Say how each host does; gives the exit code."""
    inventory = read_inventory(path)
    found = asyncio.run(flat(status_of(inventory)))
    headers = ["host", "role", "member", "node", "etcd", "virtual IP", ""]
    rows = [
        (one.host, one.role, one.member, one.node, one.etcd, "here" if one.holds_virtual_ip else "", one.trouble)
        for one in found
    ]
    click.echo(tabulate(rows, headers=headers, maxcolwidths=[None] * 6 + [70]))
    return ClusterError.exit_code if any(one.trouble for one in found) else 0


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="inventory.yaml")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="write it there, readable for nobody else")
def kubeconfig(file: Path, output: Path | None) -> None:
    """Print the administrator's kubeconfig of the cluster on an inventory's hosts. It is a secret."""
    text = asyncio.run(flat(administrator(read_inventory(file))))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            os.fchmod(descriptor, 0o600)  # one that was there keeps its mode otherwise
            stream.write(text)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror}") from None


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="inventory.yaml")
@click.option("--bundle", type=click.Path(path_type=Path), help="What the hosts are made from.")
@click.option("--dry-run", is_flag=True, help="Show the plan, change nothing.")
def repair(file: Path, bundle: Path | None, dry_run: bool) -> None:
    """Mend whatever differs from the inventory; a member that is none any more is made anew.

    As `up`, and besides: a host whose node, etcd member or static pods are lost is cleaned and joins again.
    """
    up_inventory(file, bundle=bundle, dry_run=dry_run, repair=True)


def told() -> Callable[[str], None]:
    """Prints each line with the time since now before it."""
    began_s = time.monotonic()
    return lambda line: click.echo(f"{time.monotonic() - began_s:6.1f} s  {line}")


async def flat(work: Awaitable[Result]) -> Result:
    """Await; of several errors at once the first that a user can mend is raised, as one is told at a time."""
    try:
        return await work
    except BaseExceptionGroup as group:
        known, _ = group.split(IdcError)
        if known is None:
            raise
        raise _first(known) from None


def _first(group: BaseExceptionGroup[IdcError]) -> IdcError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
