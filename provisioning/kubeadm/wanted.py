"""What a host is to have: files, packages, programs, images, services. Pure: from the inventory and its facts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...hosts.inventory import HostEntry, Inventory
from ..addons import registry
from ..artifacts.bundle_schema import BundleEntry
from ..controlplane.endpoint import HAPROXY_CHECK, EndpointHost, haproxy_config, keepalived_config
from ..controlplane.timers import PROFILES
from ..facts.facts import Facts
from . import guard, hardening, paths, runtime
from .configuration import control_plane_settings, endpoint_of
from .traits import Traits

HAPROXY_CONFIG = "/etc/haproxy/haproxy.cfg"
HAPROXY_SOCKET = Path("/run/haproxy/admin.sock")
KEEPALIVED_CONFIG = "/etc/keepalived/keepalived.conf"
KEEPALIVED_CHECK = "/etc/keepalived/idcbench-check"
KEEPALIVED_DROPIN = "/etc/systemd/system/keepalived.service.d/10-idcbench.conf"
KEEPALIVED_SERVICE = """\
# written by idcbench: Debian's unit leaves a keepalived that crashed where it lies
[Service]
Restart=always
RestartSec=1
"""
SYSCTL = "/etc/sysctl.d/90-idcbench.conf"
ENDPOINT_SYSCTL = "/etc/sysctl.d/91-idcbench-endpoint.conf"
MODULES = "/etc/modules-load.d/idcbench.conf"
TIME_DAEMONS = ("systemd-timesyncd", "ntp", "ntpsec", "openntpd")
SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
    "fs.inotify.max_user_instances": "1024",
    "fs.inotify.max_user_watches": "524288",
}
"""Routing for pods, bridged frames through the rules of kube-proxy, and room for the watches of kubelet and pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A file with its content. ``service`` is restarted when it changes."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644
    service: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """What a bundle has for hosts."""

    version: str
    packages: tuple[BundleEntry, ...]
    binaries: tuple[BundleEntry, ...]
    images: tuple[BundleEntry, ...]

    def image(self, name: str) -> str:
        """The reference of the image whose last part is ``name``. Raises ``KeyError``."""
        for entry in self.images:
            if entry.name.rpartition("/")[2].partition(":")[0] == name:
                return entry.name
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all control planes have in common and nobody else sees: authorities, keys, by path."""

    files: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that one host is to have; a control plane's ``static_pods`` are made by these settings."""

    files: tuple[WantedFile, ...]
    packages: tuple[BundleEntry, ...]
    binaries: tuple[BundleEntry, ...]
    images: tuple[BundleEntry, ...]
    services: tuple[str, ...]
    static_pods: WantedFile | None = None
    kube_scheduler_rests: bool = False


def traits_of(facts: Facts) -> Traits:
    """What of the facts its configuration depends on."""
    return Traits(
        cgroup_version=facts.cgroup_version,
        restricted=facts.restricted,
        cores=facts.number("cores"),
        memory_bytes=facts.memory_bytes,
        containerd=facts.one("containerd") or "1.6",
        local_resolver=all(server.startswith("127.") for server in facts.one("resolver").split()),
    )


def wanted(
    inventory: Inventory, host: HostEntry, facts: Facts, *, supplies: Supplies, shared: Shared, interface: str
) -> Wanted:  # fmt: skip
    """Everything on ``host``. ``interface`` is the one that has the node's address."""
    traits = traits_of(facts)
    files = [*_common_files(traits, supplies, endpoint_of(inventory)), _registry_file(inventory)]
    files.append(WantedFile(path=guard.NAME, content=host.name.encode()))
    services = ["containerd", "idcbench-guard", "kubelet"]
    if balanced(inventory, host):
        files += _endpoint_files(inventory, host, interface=interface)
        services = ["haproxy", *(["keepalived"] if inventory.endpoint.mode == "keepalived" else []), *services]
    if host.is_control_plane:
        files += _control_plane_files(shared)
    if not _keeps_time(facts) and facts.one("container") in ("", "none"):
        services.append("chrony")
    return Wanted(
        files=tuple(files),
        packages=tuple(entry for entry in supplies.packages if entry.name != "chrony" or not _keeps_time(facts)),
        binaries=supplies.binaries,
        images=tuple(_images(host, supplies)),
        services=tuple(services),
        static_pods=control_plane_file(inventory, host, version=supplies.version),
        kube_scheduler_rests=host.is_control_plane and inventory.scheduler == "idcbench",
    )


def control_plane_file(inventory: Inventory, host: HostEntry, *, version: str) -> WantedFile | None:
    """The settings of its static pods; none for a worker."""
    if not host.is_control_plane:
        return None
    text = control_plane_settings(inventory, host, version=version)
    return WantedFile(path=paths.CONTROL_PLANE, content=text.encode())


def _keeps_time(facts: Facts) -> bool:
    """Whether another program sets the host's clock: Debian lets there be one of them only, and that one stays."""
    return any(name in facts.packages for name in TIME_DAEMONS)


def managed_paths(inventory: Inventory, host: HostEntry) -> tuple[str, ...]:
    """Every file that idcbench may write on the host."""
    ours = [SYSCTL, MODULES, paths.RESOLVER, runtime.CONTAINERD_CONFIG, runtime.CRICTL_CONFIG]
    paths_of_all = [
        *ours,
        runtime.registry_path(registry_of(inventory)),
        runtime.KUBELET_UNIT,
        runtime.KUBELET_DROPIN,
        guard.SCRIPT,
        guard.UNIT,
        guard.NAME,
    ]
    if balanced(inventory, host):
        paths_of_all += [HAPROXY_CONFIG, KEEPALIVED_CONFIG, KEEPALIVED_CHECK, KEEPALIVED_DROPIN, ENDPOINT_SYSCTL]
    if host.is_control_plane:
        shared = [f"{paths.PKI}/{name}" for name in paths.SHARED_PKI]
        paths_of_all += [
            paths.AUDIT_POLICY,
            paths.AUTHENTICATION,
            paths.ADMISSION,
            paths.ENCRYPTION,
            paths.CONTROL_PLANE,
            *shared,
        ]
    return tuple(paths_of_all)


def registry_of(inventory: Inventory) -> str:
    """``ADDRESS:PORT`` of the cluster's own registry, the beginning of the names of its images."""
    return f"{inventory.network.registry_address}:{registry.PORT}"


def balanced(inventory: Inventory, host: HostEntry) -> bool:
    """Whether the host has a haproxy of its own."""
    return inventory.endpoint.mode == "local-lb" or (inventory.endpoint.mode == "keepalived" and host.is_control_plane)


def _common_files(traits: Traits, supplies: Supplies, endpoint: str) -> Iterator[WantedFile]:
    sysctls = "".join(f"{key} = {value}\n" for key, value in SYSCTLS.items())
    yield WantedFile(path=SYSCTL, content=f"# written by idcbench\n{sysctls}".encode(), service="sysctl")
    yield WantedFile(path=MODULES, content=b"# written by idcbench\noverlay\nbr_netfilter\n", service="modules")
    config = runtime.containerd_config(traits, pause=supplies.image("pause"))
    yield WantedFile(path=runtime.CONTAINERD_CONFIG, content=config.encode(), service="containerd")
    yield WantedFile(path=runtime.CRICTL_CONFIG, content=runtime.CRICTL.encode())
    if traits.local_resolver:
        yield WantedFile(
            path=paths.RESOLVER, content=b"# written by idcbench: pods cannot ask this host's own server\n"
        )
    yield WantedFile(path=guard.SCRIPT, content=guard.script(endpoint).encode(), mode=0o755)
    yield WantedFile(path=guard.UNIT, content=guard.SERVICE.encode())
    yield WantedFile(path=runtime.KUBELET_UNIT, content=runtime.KUBELET_SERVICE.encode(), service="kubelet")
    yield WantedFile(path=runtime.KUBELET_DROPIN, content=runtime.KUBELET_FLAGS.encode(), service="kubelet")


def _registry_file(inventory: Inventory) -> WantedFile:
    place = registry_of(inventory)
    return WantedFile(path=runtime.registry_path(place), content=runtime.registry_hosts(place).encode())


def _endpoint_files(inventory: Inventory, host: HostEntry, *, interface: str) -> Iterator[WantedFile]:
    members = [
        EndpointHost(name=each.name, address=each.node_address, order=order, interface=interface)
        for order, each in enumerate(inventory.control_planes, start=1)
    ]
    timers = PROFILES[inventory.profile]
    own = next((each for each in members if each.name == host.name), members[0])
    config = haproxy_config(
        members,
        virtual_ip=inventory.endpoint.address,
        timers=timers,
        own=own,
        socket=HAPROXY_SOCKET,
        port=inventory.endpoint.port,
        user="haproxy",
    )
    yield WantedFile(path=HAPROXY_CONFIG, content=config.encode(), service="haproxy")
    if inventory.endpoint.mode == "keepalived":
        text = keepalived_config(
            members,
            virtual_ip=inventory.endpoint.address,
            prefix=32,
            timers=timers,
            own=own,
            script=Path(KEEPALIVED_CHECK),
        )
        yield WantedFile(path=KEEPALIVED_CHECK, content=HAPROXY_CHECK.encode(), mode=0o755, service="keepalived")
        yield WantedFile(path=KEEPALIVED_CONFIG, content=text.encode(), service="keepalived")
        yield WantedFile(path=KEEPALIVED_DROPIN, content=KEEPALIVED_SERVICE.encode())
        nonlocal_bind = b"# written by idcbench: haproxy listens on an address that another host may hold\n"
        nonlocal_bind += b"net.ipv4.ip_nonlocal_bind = 1\n"
        yield WantedFile(path=ENDPOINT_SYSCTL, content=nonlocal_bind, service="sysctl")


def _control_plane_files(shared: Shared) -> Iterator[WantedFile]:
    yield WantedFile(path=paths.AUDIT_POLICY, content=hardening.AUDIT_POLICY.encode(), mode=0o600)
    yield WantedFile(path=paths.AUTHENTICATION, content=hardening.authentication().encode(), mode=0o600)
    yield WantedFile(path=paths.ADMISSION, content=hardening.admission().encode(), mode=0o600)
    for path, content in shared.files.items():
        mode = 0o644 if path.endswith((".crt", ".pub")) else 0o600
        yield WantedFile(path=path, content=content, mode=mode)


def _images(host: HostEntry, supplies: Supplies) -> Iterator[BundleEntry]:
    """Those that may run there: the control plane's own only where it is."""
    for entry in supplies.images:
        name = entry.name.rpartition("/")[2].partition(":")[0]
        if host.is_control_plane or name not in paths.STATIC_PODS:
            yield entry
