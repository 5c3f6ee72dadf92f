"""``idcbench inventory init | check | graph``: the file that says which machines there are."""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path

import click
from tabulate import tabulate

from ..errors import UsageError
from ..hosts.fleet import Fleet, fleet
from ..hosts.inventory import HostEntry, Inventory
from ..hosts.inventory_checks import even
from ..hosts.inventory_file import parse_inventory, read_inventory
from ..hosts.inventory_text import template

file_argument = click.argument("file", type=click.Path(path_type=Path), default="inventory.yaml")


@click.group()
def inventory() -> None:
    """The machines of a server room: write an inventory, check it, show it."""


@inventory.command()
@click.option("--control-plane", "control_planes", multiple=True, metavar="ADDRESS", help="1, 3 or 5 of them")
@click.option("--worker", "workers", multiple=True, metavar="ADDRESS", help="as many as there are")
@click.option(
    "--endpoint", default="", metavar="ADDRESS",
    help="a free address of the same network; without one every host has a load balancer of its own (local-lb)",
)  # fmt: skip
@click.option("--user", default="root", show_default=True, help="who logs in; any other becomes root by sudo")
@click.option("--key", default="", metavar="FILE", help="private key to log in with")
@click.option("--name", default="idc", show_default=True, help="of the cluster")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="inventory.yaml", show_default=True)
def init(control_planes: tuple[str, ...], workers: tuple[str, ...], output: Path, **settings: str) -> None:
    """Write an inventory for machines by their addresses, with the settings that people change explained in it."""
    text = template(
        control_planes=[_address(each) for each in control_planes],
        workers=[_address(each) for each in workers],
        **settings,
    )
    if why := even(parse_inventory(text, path=output)):
        raise UsageError(why)
    try:
        with output.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{output} is there already; choose another file with -o") from None
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror}") from None
    click.echo(f"{output}: {len(control_planes)} control planes, {len(workers)} workers; next: idcbench check {output}")


@inventory.command()
@file_argument
@click.option("--connect", is_flag=True, help="also log in everywhere and become root")
def check(file: Path, connect: bool) -> None:
    """Read an inventory and show every host with what it inherits; exit code 6 when one cannot be reached."""
    found = read_inventory(file)
    click.echo(f"{file}: cluster {found.name}, Kubernetes {found.kubernetes}, endpoint {_endpoint(found)}")
    unreached = asyncio.run(_try(found)) if connect else {}
    rows = [_row(host, unreached, connect=connect) for host in found.hosts]
    headers = ["host", "role", "address", "logs in as", "root by", "labels"] + (["reached"] if connect else [])
    click.echo("\n" + tabulate(rows, headers=headers))
    if why := even(found):
        click.echo(f"warning: {why}", err=True)
    for error in unreached.values():
        click.echo(f"error: {error}", err=True)
    if unreached:
        raise SystemExit(6)


@inventory.command()
@file_argument
def graph(file: Path) -> None:
    """Show the groups, and which hosts are in each."""
    found = read_inventory(file)
    click.echo(found.name)
    groups = list(dict.fromkeys(group for host in found.hosts for group in host.groups))
    for number, group in enumerate(groups):
        last = number == len(groups) - 1
        click.echo(f"{'└' if last else '├'}─ {group}")
        members = [host for host in found.hosts if group in host.groups]
        for index, host in enumerate(members):
            corner = "└" if index == len(members) - 1 else "├"
            click.echo(f"{' ' if last else '│'}  {corner}─ {host.name}  {host.address}")


async def _try(found: Inventory) -> dict[str, Exception]:
    async with fleet(found) as reached:
        return _unreached(reached)


def _unreached(reached: Fleet) -> dict[str, Exception]:
    return dict(reached.unreached)


def _row(host: HostEntry, unreached: dict[str, Exception], *, connect: bool) -> list[str]:
    place = host.address if host.port == 22 else f"{host.address}:{host.port}"
    root = "sudo" + (f", password {host.sudo_password}" if host.sudo_password else "") if host.sudo else "itself"
    labels = " ".join(f"{key}={value}" for key, value in host.labels.items())
    reached = ["no" if host.name in unreached else "yes"] if connect else []
    via = f" through {host.jump}" if host.jump else ""
    return [host.name, ", ".join(sorted(host.roles)), place + via, host.user, root, labels, *reached]


def _endpoint(found: Inventory) -> str:
    return f"{found.endpoint.address}:{found.endpoint.port} ({found.endpoint.mode})"


def _address(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise UsageError(f"an IPv4 address is wanted; found {text!r}") from None
