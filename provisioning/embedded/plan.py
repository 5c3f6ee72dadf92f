"""What the supervisor is told to run: hosts, and on each the programs with their argument vectors, as JSON."""

from __future__ import annotations

from pathlib import Path

import msgspec

CLIENTS = "clients"
"""The name of the inner network's own place, where clients, the node simulator and the gateway live."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program to keep running. ``environment`` adds to the supervisor's own; ``remove_first`` are files that must
    not be there when it starts (pid files of a dead one); ``takes_relay``: its standard input is the relay's socket;
    ``held``: down until the verb ``start`` is given for the first time."""

    component: str
    argv: list[str]
    environment: dict[str, str] = {}
    remove_first: list[str] = []
    takes_relay: bool = False
    held: bool = False


class PlannedHost(msgspec.Struct, frozen=True, kw_only=True):
    """A host of the cluster: a network and UTS namespace with one interface. ``programs`` in the order they start."""

    name: str
    address: str
    programs: list[Program]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The whole cluster. ``client_address`` is the bridge's own; ``ca_file``, ``cert_file`` and ``key_file`` let the
    supervisor ask API servers whether they are ready; ``logs`` holds a folder per host."""

    client_address: str
    prefix: int
    hosts: list[PlannedHost]
    clients: list[Program]
    ca_file: Path
    cert_file: Path
    key_file: Path
    logs: Path
    timeline: Path
    control: Path

    def host(self, name: str) -> PlannedHost:
        return next(host for host in self.hosts if host.name == name)


def write_plan(path: Path, plan: Plan) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plan, enc_hook=str), indent=1))


def read_plan(path: Path) -> Plan:
    return msgspec.json.decode(path.read_bytes(), type=Plan, dec_hook=lambda kind, value: kind(value))
