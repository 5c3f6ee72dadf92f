"""``idcbench lab``: IDC hosts in containers, to practise on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click
import msgspec
from tabulate import tabulate

from ..provisioning.lab.lab import Lab
from ..provisioning.lab.recipe import DISTRIBUTIONS
from ..provisioning.lab.spec import LabSpec
from ..provisioning.lab.watches import raise_limits
from .display import Display

name_option = click.option("--name", default="lab", show_default=True, metavar="NAME", help="Name of the lab.")


@click.group()
def lab() -> None:
    """Machines to practise on: containers with systemd and sshd, and power and network that can be cut."""


@lab.command()
@name_option
@click.option("--hosts", type=int, help="How many hosts [6].")
@click.option("--control-planes", type=int, help="How many of them are control planes [3].")
@click.option("--cpus", type=click.FloatRange(min=0.1), help="CPUs of each host [2].")
@click.option("--memory", metavar="SIZE", help="Memory of each host, as 512m or 2g [2g].")
@click.option("--distribution", type=click.Choice(list(DISTRIBUTIONS)), help="What the hosts run [debian-12].")
@click.option("--setup-runtime", is_flag=True, help="Set up our OCI runtime in Docker where hosts need it (root).")
def up(name: str, setup_runtime: bool, **given: Any) -> None:
    """Make a lab, or what is missing of it. What is not said stays as it was said last."""
    display = Display(sys.stderr)
    one = Lab(name, display)
    known = one.files.read()
    said = {key: value for key, value in given.items() if value is not None}
    spec = msgspec.structs.replace(known.spec if known else LabSpec(), **said)
    for line in raise_limits():
        click.echo(f"hint: many hosts need more watches: {line}", err=True)
    done = one.up(spec, setup_runtime=setup_runtime)
    display("")
    click.echo(f"lab {name}: {', '.join(done) if done else 'no change'}")
    click.echo(f"  inventory   {one.files.inventory}")


@lab.command()
@name_option
def status(name: str) -> None:
    """Say how each host does."""
    rows = [
        (s.host.name, s.host.role, s.host.address, s.host.rack, s.power, s.network, s.system)
        for s in Lab(name, Display(sys.stderr)).status()
    ]
    click.echo(tabulate(rows, headers=["host", "role", "address", "rack", "power", "network", "systemd"]))


@lab.command("exec", context_settings={"ignore_unknown_options": True})
@name_option
@click.argument("host")
@click.argument("command", nargs=-1, required=True)
def exec_(name: str, host: str, command: tuple[str, ...]) -> int:
    """Run COMMAND on HOST as root, past its network: idcbench lab exec cp1 -- journalctl -b."""
    code = 0
    for piece in Lab(name).exec(host, command):
        if isinstance(piece, int):
            code = piece
        else:
            for stream, said in zip((sys.stdout, sys.stderr), piece, strict=True):
                stream.buffer.write(said or b"")
                stream.flush()
    return code


@lab.command()
@name_option
def down(name: str) -> None:
    """Remove a lab with all its disks."""
    there = Lab(name, Display(sys.stderr)).down()
    click.echo(f"lab {name} is gone" if there else f"there was no lab {name}; nothing to remove")


def _verb(verb: str, done: str, about: str) -> Callable[..., None]:
    @lab.command(verb, help=about)
    @name_option
    @click.argument("host")
    def command(name: str, host: str) -> None:
        getattr(Lab(name, Display(sys.stderr)), verb)(host)
        click.echo(f"host {host} of lab {name} {done}")

    return command


for _each in (
    ("stop", "is off", "Cut the power of HOST: all its processes are killed, what it wrote stays."),
    ("start", "is on", "Switch HOST on and wait until it answers."),
    ("freeze", "is frozen", "Stop every process of HOST where it stands."),
    ("thaw", "goes on", "Let a frozen HOST go on."),
    ("cut", "has no network", "Lose every packet of HOST silently; it goes on."),
    ("unplug", "has no link", "Take the cable out of HOST, which sees its link go down."),
    ("heal", "has its network", "End a cut; put the cable in."),
    ("wipe", "is as new", "HOST as new at the same address, with a new host key (in known_hosts)."),
):
    _verb(*_each)
