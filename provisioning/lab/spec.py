"""What a lab is to be: its hosts with names, roles and addresses, and what each may use. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

import msgspec

from ...errors import UsageError

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
SIZE = re.compile(r"[1-9][0-9]*[mg]")
POOL = IPv4Network("172.30.0.0/16")
CONTROL_PLANES_FROM, WORKERS_FROM, VIRTUAL = 10, 20, 100
"""Last number of an address: cp1 has 11, w1 has 21, and 100 is for the cluster's virtual IP."""
RACKS = ("rack-a", "rack-b", "rack-c")


class LabSpec(msgspec.Struct, frozen=True, kw_only=True):
    """``memory`` is a number with m or g (MiB, GiB); ``cpus`` of the machine's, for each host."""

    hosts: int = 6
    control_planes: int = 3
    cpus: float = 2.0
    memory: str = "2g"
    distribution: str = "debian-12"

    def check(self) -> None:
        """Raise :class:`UsageError` for a lab that cannot be."""
        if not 1 <= self.control_planes <= min(self.hosts, 9):
            raise UsageError(
                f"{self.control_planes} control planes of {self.hosts} hosts: 1 to {min(max(self.hosts, 1), 9)} are "
                "wanted; set --control-planes or --hosts"
            )
        if self.hosts - self.control_planes > VIRTUAL - WORKERS_FROM - 1:
            raise UsageError(f"{self.hosts} hosts do not fit into a lab's network; at most 79 workers do")
        if not SIZE.fullmatch(self.memory):
            raise UsageError(f"--memory {self.memory!r}: a size such as 512m or 2g is wanted")


@dataclass(frozen=True, slots=True)
class LabHost:
    """One machine: its name, role, address and rack."""

    name: str
    role: str
    address: IPv4Address
    rack: str


def hosts_of(spec: LabSpec, subnet: IPv4Network) -> tuple[LabHost, ...]:
    """Control planes first, then workers, dealt over the racks."""
    planes = [(f"cp{n}", "control-plane", CONTROL_PLANES_FROM + n) for n in range(1, spec.control_planes + 1)]
    workers = [(f"w{n}", "worker", WORKERS_FROM + n) for n in range(1, spec.hosts - spec.control_planes + 1)]
    return tuple(
        LabHost(name, role, subnet[number], RACKS[number % 10 % len(RACKS) - 1])
        for name, role, number in planes + workers
    )


def check_name(name: str) -> str:
    """The name, if it can be one. Raises :class:`UsageError`."""
    if not NAME.fullmatch(name):
        raise UsageError(f"--name {name!r}: up to 32 small letters, digits and - are wanted")
    return name


def choose_subnet(name: str, taken: Iterable[IPv4Network]) -> IPv4Network:
    """A /24 of 172.30.0.0/16 that overlaps none of ``taken``; the same for the same name where it is free.

    Raises :class:`UsageError` when none is free.
    """
    used = list(taken)
    candidates = list(POOL.subnets(new_prefix=24))
    first = hashlib.sha256(name.encode()).digest()[0]
    for subnet in candidates[first:] + candidates[:first]:
        if not any(subnet.overlaps(other) for other in used):
            return subnet
    raise UsageError(f"no /24 of {POOL} is free of routes on this machine; remove a lab with `idcbench lab down`")


def routes(table: str) -> list[IPv4Network]:
    """The networks of a ``/proc/net/route``, the default route left out."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        address, mask = (IPv4Address(int(fields[at], 16).to_bytes(4, "little")) for at in (1, 7))
        if int(mask):
            found.append(IPv4Network(f"{address}/{mask}", strict=False))
    return found
