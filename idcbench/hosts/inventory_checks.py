"""What has to fit together in an inventory, beyond each value by itself."""

from __future__ import annotations

import ipaddress
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..yamlfile.values import Section, Value, nearest
from .gateway import gateway_of
from .inventory import HostEntry, Inventory
from .inventory_fields import JUMP

TAKEN = {
    6443: "API server",
    2379: "etcd for API servers",
    2380: "etcd among its members",
    2381: "etcd's metrics",
    8444: "haproxy's health",
    10257: "controller manager",
    10259: "scheduler",
    10250: "kubelet",
    10248: "kubelet's health",
    10249: "kube-proxy's metrics",
    10256: "kube-proxy's health",
}
"""Ports that the endpoint cannot have where the balancer runs on hosts (those of provisioning/preflight/ports)."""


def check(inventory: Inventory, *, document: Section) -> None:
    """Raise :class:`~idcbench.errors.UsageError` for the first thing that does not fit, where ``document`` says it."""
    lines = lines_of(document)
    _members(inventory, document)
    _addresses(inventory, lines)
    _networks(inventory, document, lines)
    for host in inventory.hosts:
        _jump(inventory, host, given(document, lines, host, "jump"))


def even(inventory: Inventory) -> str:
    """What is to be said of an even number of control planes, empty for an odd one.

    No cluster is begun so, but one that lost a control plane has to be worked on.
    """
    names = [host.name for host in inventory.control_planes]
    if len(names) % 2:
        return ""
    return (
        f"an odd number of control planes is wanted (etcd needs more than half of them); found {len(names)}: "
        f"{', '.join(names)}; put 1, 3 or 5 hosts into group control-plane"
    )


def check_paths(inventory: Inventory, *, document: Section) -> None:
    """Raise :class:`~idcbench.errors.UsageError` for a key, known hosts or a secret that is no file of this machine."""
    lines = lines_of(document)
    for host in inventory.hosts:
        for path, variable in _paths(host):
            if found := _trouble(path):
                given(document, lines, host, *variable).refuse(f"a file is wanted; found at {path}: {found}")


def _paths(host: HostEntry) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """What has to be there, each with the fields that name it."""
    if host.key:
        yield host.key, ("key",)
    if host.known_hosts and host.host_keys == "strict":
        yield host.known_hosts, ("known_hosts",)
    if host.password and host.password.kind == "file":
        yield Path(host.password.place), ("password",)
    if host.sudo_password and host.sudo_password.kind == "file":
        yield Path(host.sudo_password.place), ("sudo_password",)
    if host.power and host.power.password and host.power.password.kind == "file":
        yield Path(host.power.password.place), ("power", "password")


def _trouble(path: Path) -> str:
    """Why it is no file, empty when it is one; a pipe will do."""
    try:
        return "a directory" if stat.S_ISDIR(path.stat().st_mode) else ""
    except (OSError, ValueError) as error:
        return str(getattr(error, "strerror", error))


def lines_of(document: Section) -> Mapping[str, Value]:
    """Where each host stands."""
    return dict(document.need("hosts", what="the machines by name").section().items())


def given(document: Section, lines: Mapping[str, Value], host: HostEntry, *variable: str) -> Value:
    """Where the variable of a host is given: by the host, the last of its groups that does, or the defaults."""
    found = lines[host.name].find(*variable)
    for group in reversed(host.groups):
        found = found or document.value.find("groups", group, *variable)
    return found or document.value.find("defaults", *variable) or lines[host.name]


def _cluster(document: Section, *path: str) -> Value:
    """A value of the cluster; where it is a default the mapping that may hold it."""
    place = document.need("cluster", what="the cluster's name and endpoint")
    return place.find(*path) or place.find(*path[:-1]) or place


def _members(inventory: Inventory, document: Section) -> None:
    count = len(inventory.control_planes)
    hosts = document.need("hosts", what="the machines by name")
    if count == 0:
        hosts.refuse("at least one host in group control-plane is wanted; found none")
    if count > 5:
        hosts.refuse(f"1, 3 or 5 control planes are wanted (each write goes to all of them); found {count}")
    if inventory.endpoint.mode != "external" and (other := TAKEN.get(inventory.endpoint.port)):
        port = _cluster(document, "endpoint", "port")
        found = f"{inventory.endpoint.port} ({other})"
        port.refuse(f"a port that nothing else of the cluster has is wanted; found {found}; 8443 is free")


def _addresses(inventory: Inventory, lines: Mapping[str, Value]) -> None:
    seen: dict[str, str] = {}
    reached: dict[tuple[str, int, str], str] = {}
    for host in inventory.hosts:
        try:
            ipaddress.IPv4Address(host.node_address)
        except ValueError:
            lines[host.name].refuse(
                f"node_address: an IPv4 address is wanted where address is a name; found {host.node_address!r}"
            )
        way = host.address, host.port, host.jump
        if (other := seen.get(host.node_address) or reached.get(way)) is not None:
            lines[host.name].refuse(f"an address of its own is wanted; {host.node_address} is also that of {other}")
        seen[host.node_address] = reached[way] = host.name
    if (other := seen.get(inventory.endpoint.address)) is not None:
        lines[other].refuse(
            f"{inventory.endpoint.address} is the endpoint's; give cluster.endpoint an address that no host has"
        )


def _networks(inventory: Inventory, document: Section, lines: Mapping[str, Value]) -> None:
    pods, services = inventory.network.pods, inventory.network.services
    where = {name: _cluster(document, "network", name) for name in ("pods", "services")}
    if pods.overlaps(services):
        place = where["pods"] if document.value.find("cluster", "network", "pods") else where["services"]
        place.refuse(f"networks of pods and services that do not overlap are wanted; found {pods} and {services}")
    if services.prefixlen > 28:
        where["services"].refuse(f"room for at least 16 addresses is wanted; found {services}")
    if pods.prefixlen > 24 or 2 ** (24 - pods.prefixlen) < len(inventory.hosts):
        where["pods"].refuse(f"a /24 for each of {len(inventory.hosts)} hosts is wanted; found {pods}")
    for name, network in (("pods", pods), ("services", services)):
        for host in inventory.hosts:
            if ipaddress.IPv4Address(host.node_address) in network:
                lines[host.name].refuse(f"{host.node_address} lies in network.{name} {network}; choose another network")
        if inventory.endpoint.mode == "keepalived" and ipaddress.IPv4Address(inventory.endpoint.address) in network:
            _cluster(document, "endpoint", "address").refuse(
                f"{inventory.endpoint.address} lies in network.{name} {network}; choose another network"
            )


def _jump(inventory: Inventory, host: HostEntry, place: Value) -> None:
    names = [each.name for each in inventory.hosts]
    way, at = [host.name], host
    while at.jump and gateway_of(at.jump) is None:
        if at.jump not in names:
            place.refuse(f"{JUMP} is wanted; found {at.jump!r}{nearest(at.jump, names)}")
        way.append(at.jump)
        if Counter(way).most_common(1)[0][1] > 1:
            place.refuse(f"a way that ends is wanted; found {' → '.join(way)}")
        at = inventory.host(at.jump)
