"""The inventory: which machines there are, how they are reached, and what cluster they are to become.

Host variables are inherited: defaults, then the host's groups in their order, then the host itself; a mapping such as
``labels`` is merged, anything else replaced. Read by :mod:`.inventory_file`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Literal

from ..choices import Profile
from .secret import Secret

Role = Literal["control-plane", "worker"]
ROLES: tuple[Role, ...] = ("control-plane", "worker")
"""Groups by these names give the role; a host in both is a control plane that takes any pod."""
EndpointMode = Literal["keepalived", "local-lb", "external"]
ENDPOINT_MODES: tuple[EndpointMode, ...] = ("keepalived", "local-lb", "external")
Scheduler = Literal["kube-scheduler", "idcbench", "both"]
SCHEDULERS: tuple[Scheduler, ...] = ("kube-scheduler", "idcbench", "both")
"""Who serves ``default-scheduler``; with ``both`` kube-scheduler does, and idcbench's the name ``idcbench``."""
HostKeys = Literal["strict", "first-use"]
PODS = IPv4Network("10.244.0.0/16")
SERVICES = IPv4Network("10.96.0.0/16")
"""kubeadm's own choices."""
Driver = Literal["lab", "command", "ipmi", "redfish"]
DRIVERS: tuple[Driver, ...] = ("lab", "command", "ipmi", "redfish")


@dataclass(frozen=True, slots=True)
class Taint:
    """``key=value:effect``, as kubectl writes it."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{self.key}{f'={self.value}' if self.value else ''}:{self.effect}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """How a host is switched off and on from outside.

    ``command``: ``off``, ``on`` and ``status`` are argument lists. ``ipmi`` and ``redfish``: a management address.
    """

    driver: Driver
    address: str = ""
    user: str = ""
    password: Secret | None = None
    off: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    status: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    """One machine with everything inherited. ``name`` is also the name of its node.

    ``address`` is where SSH reaches it, ``node_address`` the one that the cluster's members use among themselves.
    """

    name: str
    address: str
    node_address: str
    roles: frozenset[Role]
    groups: tuple[str, ...] = ()
    port: int = 22
    user: str = "root"
    key: Path | None = None
    password: Secret | None = None
    known_hosts: Path | None = None
    host_keys: HostKeys = "strict"
    sudo: bool = False
    sudo_password: Secret | None = None
    jump: str = ""
    interface: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    power: Power | None = None

    @property
    def is_control_plane(self) -> bool:
        return "control-plane" in self.roles

    @property
    def is_worker(self) -> bool:
        """Whether it takes any pod."""
        return "worker" in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """The one address in front of all API servers. ``external``: somebody else's load balancer, a name or address.

    ``keepalived``: ``address`` is the virtual IP. ``local-lb``: each host has a balancer of its own on loopback.
    """

    mode: EndpointMode
    address: str
    port: int = 8443


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """``plugin`` is ``flannel``, ``none``, or the path of a manifest."""

    pods: IPv4Network = PODS
    services: IPv4Network = SERVICES
    plugin: str = "flannel"
    domain: str = "cluster.local"

    @property
    def dns_address(self) -> IPv4Address:
        """The tenth address of the services, as kubeadm takes it."""
        return self.services[10]

    @property
    def registry_address(self) -> IPv4Address:
        """The twentieth, among those that Kubernetes leaves to who wants a certain one (KEP-3070)."""
        return self.services[20]

    @property
    def api_address(self) -> IPv4Address:
        """The first address of the services: that of the Service ``kubernetes``."""
        return self.services[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The whole file. ``disruptive``: tests may break this cluster.

    ``listed`` stays when ``hosts`` is replaced by some of them, as the way to those may lead through others.
    """

    path: Path
    name: str
    endpoint: EndpointSettings
    network: NetworkSettings
    hosts: tuple[HostEntry, ...]
    kubernetes: str = "1.37"
    profile: Profile = "default"
    scheduler: Scheduler = "kube-scheduler"
    disruptive: bool = False
    listed: tuple[HostEntry, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "listed", self.listed or self.hosts)

    @property
    def control_planes(self) -> tuple[HostEntry, ...]:
        return tuple(host for host in self.hosts if host.is_control_plane)

    @property
    def workers(self) -> tuple[HostEntry, ...]:
        """Those that are no control planes."""
        return tuple(host for host in self.hosts if not host.is_control_plane)

    def host(self, name: str) -> HostEntry:
        """One of the file. Raises ``KeyError`` when there is none of that name."""
        for host in (*self.hosts, *self.listed):
            if host.name == name:
                return host
        raise KeyError(name)
