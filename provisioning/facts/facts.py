"""What a host is and has, as its script said it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from typing import Any

from ...errors import IdcError

CAP_SYS_RESOURCE = 24
"""include/uapi/linux/capability.h."""


class FactsError(IdcError):
    """What a host said of itself is not what the script says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Where ``place`` lies: kind of file system, what is free there, and where that is mounted."""

    place: str
    kind: str
    free_bytes: int
    mount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A network interface; ``mac`` is empty where it has none."""

    name: str
    mtu: int
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A socket that takes connections or datagrams, and by whom where that is known."""

    protocol: str
    address: str
    port: int
    process: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A service of systemd."""

    enabled: str
    active: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A file as it is: SHA-256, mode, and ``user:group``."""

    sha256: str
    mode: int
    owner: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it. ``said`` has the values of each key in order; what a host could not say is an empty list."""

    said: Mapping[str, tuple[str, ...]] = field(repr=False)

    def one(self, key: str) -> str:
        """The first value, empty when there is none."""
        values = self.said.get(key, ())
        return values[0] if values else ""

    def all(self, key: str) -> tuple[str, ...]:
        return self.said.get(key, ())

    def pairs(self, key: str) -> dict[str, str]:
        """Values of the form ``NAME REST`` by name, the last one of each."""
        return {name: rest for name, _, rest in (value.partition(" ") for value in self.all(key))}

    def number(self, key: str) -> int:
        """Raises :class:`FactsError` when it is none."""
        try:
            return int(float(self.one(key)))
        except ValueError:
            raise FactsError(f"{key}: a number was expected of the host; it said {self.one(key)!r}") from None

    @property
    def architecture(self) -> str:
        """As Go names it."""
        machine = self.one("architecture")
        return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)

    @property
    def memory_bytes(self) -> int:
        found = dict(value.split(":") for value in self.all("memory_kib"))
        return int(found.get("MemTotal", 0)) * 1024

    @property
    def cgroup_version(self) -> int:
        return self.number("cgroup")

    @property
    def restricted(self) -> bool:
        """A machine or container that lacks CAP_SYS_RESOURCE."""
        return not int(self.one("capabilities") or "0", 16) >> CAP_SYS_RESOURCE & 1

    @property
    def disks(self) -> dict[str, Disk]:
        found = {}
        for place, rest in self.pairs("disk").items():
            kind, free, mount = rest.split(" ", 2)
            found[place] = Disk(place=place, kind=kind, free_bytes=int(free) * 1024, mount=mount)
        return found

    @property
    def addresses(self) -> dict[str, list[IPv4Interface]]:
        """By interface."""
        found: dict[str, list[IPv4Interface]] = {}
        for value in self.all("address"):
            name, _, address = value.partition(" ")
            found.setdefault(name, []).append(IPv4Interface(address))
        return found

    def interface_of(self, address: str) -> tuple[str, IPv4Interface] | None:
        """The interface that has the address, and the address with its network."""
        for name, there in self.addresses.items():
            for interface in there:
                if str(interface.ip) == address:
                    return name, interface
        return None

    @property
    def links(self) -> dict[str, Link]:
        found = {}
        for name, rest in self.pairs("link").items():
            mtu, _, mac = rest.partition(" ")
            found[name] = Link(name=name, mtu=int(mtu or 0), mac=mac.strip())
        return found

    @property
    def listening(self) -> list[Listening]:
        found = []
        for value in self.all("listen"):
            protocol, place, process = ([*value.split(" ", 2), ""])[:3]
            address, _, port = place.rpartition(":")
            name = process.split('"')[1] if '"' in process else ""
            found.append(Listening(protocol=protocol, address=address, port=int(port), process=name))
        for value in self.all("listen_hex"):
            protocol, port = value.split(" ")
            found.append(Listening(protocol=protocol, address="", port=int(port, 16), process=""))
        return found

    @property
    def sysctls(self) -> dict[str, str]:
        return self.pairs("sysctl")

    @property
    def units(self) -> dict[str, Unit]:
        found = {}
        for name, rest in self.pairs("unit").items():
            enabled, _, active = rest.partition(" ")
            found[name] = Unit(enabled=enabled, active=active)
        return found

    @property
    def packages(self) -> dict[str, str]:
        """Version of each package that is wholly installed."""
        found = {}
        for name, rest in self.pairs("package").items():
            version, _, status = rest.partition(" ")
            if status.strip() in ("ii", "hi"):
                found[name] = version
        return found

    @property
    def held(self) -> set[str]:
        """Packages that no upgrade touches."""
        return {name for name, rest in self.pairs("package").items() if rest.split(" ")[-1].startswith("h")}

    @property
    def files(self) -> dict[str, FileState]:
        found = {}
        for value in self.all("file"):
            sha256, mode, owner, path = value.split(" ", 3)
            found[path] = FileState(sha256=sha256, mode=int(mode, 8), owner=owner)
        return found

    @property
    def images(self) -> dict[str, str]:
        """Digest of each image in containerd's store, by name."""
        return self.pairs("image")

    @property
    def mark(self) -> Mapping[str, Any]:
        """What says to which cluster the host belongs; empty when it belongs to none."""
        try:
            found = json.loads(self.one("mark") or "{}")
        except ValueError:
            return {"cluster": "?"}
        return found if isinstance(found, dict) else {"cluster": "?"}

    @property
    def is_member(self) -> bool:
        """Whether kubeadm has finished with it: a node with credentials of its own."""
        return "/etc/kubernetes/kubelet.conf" in self.all("exists")

    @property
    def is_control_plane(self) -> bool:
        return "kube-apiserver" in self.all("manifest")

    @property
    def was_control_plane(self) -> bool:
        """Whether it is one, or has what only one leaves."""
        left = "/etc/kubernetes/admin.conf" in self.all("exists") or self.one("etcd_data") == "yes"
        return self.is_control_plane or left


def parse_facts(text: str) -> Facts:
    """The output of the script. Raises :class:`FactsError` when it is not whole."""
    said: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, found, value = line.partition("=")
        if found:
            said.setdefault(key, []).append(value)
    if said.get("complete") != ["yes"]:
        raise FactsError("the host did not say all it should of itself; is its file system or `sh` broken?")
    return Facts({key: tuple(values) for key, values in said.items()})
