"""The ports that a cluster takes: on which hosts, and which hosts must get through to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ...hosts.inventory import HostEntry, Inventory
from ..controlplane.endpoint import HEALTH_PORT

VXLAN = 8472
"""flannel's, which is Linux's own default and not the 4789 of the standard."""
Where = Literal["control-plane", "everywhere"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """``owners`` are the processes that may have it. ``asked_by`` is ``None`` for one that is only on loopback."""

    number: int
    what: str
    owners: frozenset[str]
    on: Where
    asked_by: Where | None


def ports_of(inventory: Inventory) -> Iterator[Port]:
    """TCP ports (https://kubernetes.io/docs/reference/networking/ports-and-protocols/), and the endpoint's."""
    yield _port(6443, "API server", "kube-apiserver", asked_by="everywhere")
    yield _port(2379, "etcd for API servers", "etcd", asked_by="control-plane")
    yield _port(2380, "etcd among its members", "etcd", asked_by="control-plane")
    yield _port(2381, "etcd's metrics", "etcd")
    yield _port(10257, "controller manager", "kube-controller-manager")
    yield _port(10259, "scheduler", "kube-scheduler")
    yield _port(10250, "kubelet", "kubelet", on="everywhere", asked_by="everywhere")
    yield _port(10248, "kubelet's health", "kubelet", on="everywhere")
    yield _port(10249, "kube-proxy's metrics", "kube-proxy", on="everywhere")
    yield _port(10256, "kube-proxy's health", "kube-proxy", on="everywhere")
    endpoint = inventory.endpoint
    if endpoint.mode == "keepalived":
        yield _port(endpoint.port, "the endpoint", "haproxy", asked_by="everywhere")
        yield _port(HEALTH_PORT, "haproxy's health", "haproxy")
    elif endpoint.mode == "local-lb":
        yield _port(endpoint.port, "the endpoint", "haproxy", on="everywhere")
        yield _port(HEALTH_PORT, "haproxy's health", "haproxy", on="everywhere")


def _port(number: int, what: str, owner: str, *, on: Where = "control-plane", asked_by: Where | None = None) -> Port:
    # ss shows 15 letters of a process's name
    return Port(number=number, what=what, owners=frozenset({owner[:15]}), on=on, asked_by=asked_by)


def ports_on(inventory: Inventory, host: HostEntry) -> list[Port]:
    """Those that the cluster takes on a host."""
    return [port for port in ports_of(inventory) if port.on == "everywhere" or host.is_control_plane]


def asked(inventory: Inventory, source: HostEntry, target: HostEntry) -> list[Port]:
    """Those of ``target`` to which ``source`` must get through."""
    asks = {"everywhere", "control-plane"} if source.is_control_plane else {"everywhere"}
    return [port for port in ports_on(inventory, target) if port.asked_by in asks]
