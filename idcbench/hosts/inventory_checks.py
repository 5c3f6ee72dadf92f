"""What has to fit together in an inventory, beyond each value by itself."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Mapping

from ..yamlfile.values import Value, nearest
from .inventory import HostEntry, Inventory


def check(inventory: Inventory, *, lines: Mapping[str, Value], cluster: Value) -> None:
    """Raise :class:`~idcbench.errors.UsageError` for the first thing that does not fit."""
    _members(inventory, cluster)
    _addresses(inventory, lines)
    _networks(inventory, cluster, lines)
    for host in inventory.hosts:
        _jump(inventory, host, lines[host.name])


def _members(inventory: Inventory, cluster: Value) -> None:
    count = len(inventory.control_planes)
    if count == 0:
        cluster.refuse("at least one host in group control-plane is wanted; found none")
    if count % 2 == 0:
        cluster.refuse(
            f"an odd number of control planes is wanted (etcd needs more than half of them); found {count}: "
            f"{', '.join(host.name for host in inventory.control_planes)}"
        )
    if inventory.endpoint.mode == "local-lb" and inventory.endpoint.port == 6443:
        cluster.refuse("endpoint.port: with local-lb another port than the API servers' 6443 is wanted; found 6443")


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


def _networks(inventory: Inventory, cluster: Value, lines: Mapping[str, Value]) -> None:
    pods, services = inventory.network.pods, inventory.network.services
    if pods.overlaps(services):
        cluster.refuse(f"networks of pods and services that do not overlap are wanted; found {pods} and {services}")
    if services.prefixlen > 28:
        cluster.refuse(f"network.services: room for at least 16 addresses is wanted; found {services}")
    if pods.prefixlen > 24 or 2 ** (24 - pods.prefixlen) < len(inventory.hosts):
        cluster.refuse(f"network.pods: a /24 for each of {len(inventory.hosts)} hosts is wanted; found {pods}")
    for name, network in (("pods", pods), ("services", services)):
        for host in inventory.hosts:
            if ipaddress.IPv4Address(host.node_address) in network:
                lines[host.name].refuse(f"{host.node_address} lies in network.{name} {network}; choose another network")
        if inventory.endpoint.mode == "keepalived" and ipaddress.IPv4Address(inventory.endpoint.address) in network:
            cluster.refuse(f"endpoint.address {inventory.endpoint.address} lies in network.{name} {network}")


def _jump(inventory: Inventory, host: HostEntry, line: Value) -> None:
    names = [each.name for each in inventory.hosts]
    way, at = [host.name], host
    while at.jump and "@" not in at.jump and ":" not in at.jump:
        if at.jump not in names:
            line.refuse(f"jump: a host of this inventory or user@address:port is wanted; found {at.jump!r}"
                        f"{nearest(at.jump, names)}")  # fmt: skip
        way.append(at.jump)
        if Counter(way).most_common(1)[0][1] > 1:
            line.refuse(f"jump: a way that ends is wanted; found {' → '.join(way)}")
        at = inventory.host(at.jump)
