"""``idcbench up | status | exec | stop | start | down``: a cluster without tests."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from ..cluster import Cluster, ComponentState
from ..errors import ClusterError, UsageError
from ..hosts.netns import NetnsHost
from ..options import TargetOptions, is_inventory
from ..provisioning.embedded.cluster import EmbeddedCluster
from ..provisioning.embedded.target import EmbeddedTarget
from ..provisioning.targets import find_target
from .display import Display
from .options import read_settings, up_options
from .rooms import down_inventory, show_status, up_inventory

target_argument = click.argument("target", default="embedded")
name_option = click.option("--name", default="", metavar="NAME", help="name of the cluster, where there are several")


@click.command()
@target_argument
@up_options
@click.option("--dry-run", is_flag=True, help="of an inventory's hosts: show the plan, change nothing")
def up(dry_run: bool, **values: Any) -> None:
    """Bring a cluster up and keep it; with one that is up, say so.

    TARGET: embedded (default), kubeconfig, or an inventory file, whose hosts become what it says.
    """
    settings = read_settings(values)
    if is_inventory(settings.target):
        if given := sorted(settings.given - {"target", "bundle"}):
            raise UsageError(f"--{given[0].replace('_', '-')}: the inventory says what the cluster is; set it there")
        bundle = Path(settings.bundle) if settings.bundle else None
        up_inventory(Path(settings.target), bundle=bundle, dry_run=dry_run)
        return
    if settings.bundle or dry_run:
        raise UsageError(
            "--bundle and --dry-run are for the hosts of an inventory; name a file that ends in .yaml: idcbench up "
            "inventory.yaml"
        )
    display = Display(sys.stderr)
    target = find_target(settings.target or "embedded", options=settings.target_options(), progress=display)

    async def bring_up() -> Cluster:
        async with target.cluster(settings.spec(), keep=True) as cluster:
            return cluster

    cluster = asyncio.run(bring_up())
    display("")
    click.echo(_summary(cluster))


@click.command()
@target_argument
@name_option
def status(target: str, name: str) -> int:
    """Say what a cluster is and how each of its components does. Exit code 6 when it is not up, or not whole.

    TARGET: embedded (default), or an inventory file, whose hosts are looked at.
    """
    if is_inventory(target):
        return show_status(Path(target))
    cluster = _embedded(target, name).attach()
    click.echo(_summary(cluster))
    states = asyncio.run(_states(cluster))
    rows = [(one.host, one.component, one.state, one.restarts) for one in states]
    click.echo("\n" + tabulate(rows, headers=["host", "component", "state", "restarts"]))
    return 0


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("host")
@click.argument("command", nargs=-1, required=True)
@name_option
def exec_(host: str, command: tuple[str, ...], name: str) -> None:
    """Run COMMAND on HOST of an embedded cluster, in this terminal: idcbench exec cp1 -- ip address."""
    hosts = {one.name: one for one in _embedded("embedded", name).attach().hosts}
    if host not in hosts:
        raise UsageError(f"no host {host!r}; there are {', '.join(hosts)}")
    _become(hosts[host], command)


@click.command()
@target_argument
@name_option
def stop(target: str, name: str) -> None:
    """Stop a cluster in good order and keep its data."""
    one = _embedded(target, name)
    asyncio.run(one.stop())
    click.echo(f"cluster {one.id} is stopped, its data kept; `idcbench start` starts it, `idcbench down` removes it")


@click.command()
@target_argument
@name_option
def start(target: str, name: str) -> None:
    """Start a stopped cluster again from its data."""
    one = _embedded(target, name)
    cluster = asyncio.run(one.start())
    one.progress("")
    click.echo(_summary(cluster))


@click.command()
@target_argument
@name_option
@click.option("--confirm", default="", metavar="NAME", help="of an inventory's hosts: the name of the cluster")
def down(target: str, name: str, confirm: str) -> None:
    """Remove a cluster and all its data; with an inventory, leave its hosts as they were found."""
    if is_inventory(target):
        down_inventory(Path(target), confirm=confirm)
        return
    one = _embedded(target, name)
    there = asyncio.run(one.down())
    one.progress("")
    click.echo(f"cluster {one.id} is gone" if there else f"there was no cluster {one.id}; nothing to remove")


def _embedded(target: str, name: str) -> EmbeddedTarget:
    if is_inventory(target):
        raise UsageError(f"{target}: hosts of an inventory are not stopped, started or entered by idcbench; use SSH")
    found = find_target(target, options=TargetOptions(name=name), progress=Display(sys.stderr))
    if not isinstance(found, EmbeddedTarget):
        raise UsageError(f"target {target} is somebody's cluster; idcbench only attaches to it in `run` and `up`")
    return found


async def _states(cluster: EmbeddedCluster) -> list[ComponentState]:
    return list(await cluster.faults.components())


def _become(host: NetnsHost, command: tuple[str, ...]) -> None:
    argv = host.command(*command)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        raise ClusterError(f"{argv[0]}: {error.strerror}") from None


def _summary(cluster: Cluster) -> str:
    facts, access = cluster.facts, cluster.access
    took = "was up already" if facts.reused else f"is ready after {facts.ready_s or 0:.1f} s"
    members = f"{facts.control_planes} control-plane host{'s' * (facts.control_planes != 1)}"
    lines = [
        f"cluster {facts.name} {took}: Kubernetes {facts.kubernetes}, {members}, {facts.nodes} nodes",
        f"  endpoint    {access.server}" + (" (inside)" if access.gateway else ""),
        f"  try         kubectl --kubeconfig {access.kubeconfig} get nodes",
    ]
    if facts.provenance:
        lines.append(f"  binaries    {facts.provenance}")
    return "\n".join(lines)
