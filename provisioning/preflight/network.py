"""P401 to P413, P419: addresses, names and routes of hosts, from their facts alone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from .check import check, cluster_check, host_check
from .clocks import is_active
from .evidence import Evidence, HostEvidence
from .finding import Judged, alike, different, judged

LOCAL = ("lo", "docker", "br-", "cni", "flannel", "veth", "virbr", "kube-", "dummy")
"""Names, or their beginnings, of interfaces whose addresses are the host's own affair."""
OURS = ("cni0", "flannel.1")
KINDS = ("unicast", "local", "broadcast", "multicast", "throw", "unreachable", "prohibit", "blackhole", "nat")
"""Words that `ip route` puts before a network."""
SMALLEST_MTU = 1280
"""What IPv6 asks for (RFC 8200)."""


@host_check("P401", "the node's address is one of the host's", "error")
def node_address(host: HostEvidence) -> Judged:
    """All members talk to it, and certificates name it."""
    there = [str(one.ip) for name, found in host.facts.addresses.items() if name != "lo" for one in found]
    return judged(
        bool(host.interface),
        f"{host.entry.node_address} on {host.interface}" if host.interface else ", ".join(there) or "no address",
        wanted=host.entry.node_address,
        remedy=f"set node_address to one of {', '.join(there) or 'its addresses'}",
    )


@host_check("P402", "the interface named in the inventory has that address", "error")
def interface(host: HostEvidence) -> Judged | None:
    """keepalived puts the virtual IP there."""
    if not host.entry.interface or not host.interface:
        return None
    return judged(
        host.entry.interface == host.interface,
        host.interface,
        wanted=host.entry.interface,
        remedy=f"set interface to {host.interface}, or leave it out",
    )


@cluster_check("P403", "the control planes are in one network", "error")
def one_network(evidence: Evidence) -> Judged | None:
    """The virtual IP moves between them by ARP, which no router passes on."""
    found = {host.name: str(network) for host in evidence.control_planes if (network := network_of(host))}
    if evidence.inventory.endpoint.mode != "keepalived" or not found:
        return None
    return alike(found, wanted="one network", remedy="put them into one, or use endpoint mode local-lb or external")


@check("P404", "the virtual IP is of that network", "error")
def address_of_network(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """Neighbours find it by ARP only when they take it for a neighbour."""
    if evidence.inventory.endpoint.mode != "keepalived":
        return
    address = evidence.inventory.endpoint.address
    for host in evidence.control_planes:
        if (network := network_of(host)) is not None:
            yield (
                host.name,
                judged(
                    IPv4Address(address) in network and IPv4Address(address) != network.network_address,
                    f"{address}, the host is in {network}",
                    wanted=f"an address in {network}",
                    remedy=f"set endpoint.address to a free one in {network}",
                ),
            )


@check("P405", "nobody but the cluster has the virtual IP", "error")
def nobody_has_address(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """Two owners of one address each get a part of the packets."""
    if evidence.inventory.endpoint.mode != "keepalived":
        return
    address = evidence.inventory.endpoint.address
    for host in evidence.hosts:
        has = host.facts.interface_of(address)
        may = may_hold_address(host)
        yield (
            host.name,
            judged(
                has is None or may,
                f"{address} on {has[0]}" if has else "not there",
                wanted="free, or with a control plane of this cluster",
                remedy="choose another endpoint.address"
                + (
                    f", or take it from there: ip address del {address} dev {has[0]}"
                    if has and not host.is_elsewhere
                    else ""
                ),
            ),
        )


@cluster_check("P406", "no address is on two hosts", "error")
def addresses(evidence: Evidence) -> Judged:
    """What goes to one of them arrives at the other, now and then. The virtual IP is another check's affair."""
    found = {
        f"{host.name} {name}": str(one.ip)
        for host in evidence.hosts
        for name, there in host.facts.addresses.items()
        if not name.startswith(LOCAL)
        for one in there
        if str(one.ip) != evidence.inventory.endpoint.address
    }
    return different(found, wanted="all different", remedy="give one of them another address")


@cluster_check("P407", "no MAC address is on two hosts", "error")
def macs(evidence: Evidence) -> Judged:
    """Cloned machines share them: switches send frames to whichever spoke last."""
    found = {
        host.name: link.mac for host in evidence.hosts if (link := host.facts.links.get(host.interface)) is not None
    }
    return different(found, wanted="all different", remedy="give the clone a new one in the hypervisor's settings")


@cluster_check("P408", "no hostname is on two hosts", "error")
def hostnames(evidence: Evidence) -> Judged:
    """Logs, DHCP and people tell machines apart by it."""
    return different(
        {host.name: host.facts.one("hostname") for host in evidence.hosts},
        wanted="all different",
        remedy="hostnamectl set-hostname NAME on one of them",
    )


@host_check("P409", "the hostname is the inventory's name", "note")
def hostname(host: HostEvidence) -> Judged:
    """The node is called as in the inventory; another hostname confuses whoever reads both."""
    found = host.facts.one("hostname").partition(".")[0]
    return judged(
        found == host.name,
        found,
        wanted=host.name,
        remedy=f"hostnamectl set-hostname {host.name}, or rename it in the inventory",
    )


@host_check("P410", "the host knows its own name", "warning")
def own_name(host: HostEvidence) -> Judged:
    """kubeadm warns of it; sudo and much else waits for DNS at each call."""
    found = host.facts.one("own_name")
    name = host.facts.one("hostname")
    return judged(
        bool(found),
        found or "not resolved",
        wanted="an address",
        remedy=f"echo '{host.entry.node_address} {name}' >> /etc/hosts",
    )


@host_check("P411", "there is a default route", "warning")
def default_route(host: HostEvidence) -> Judged:
    """Programs find out their own address by it (flannel without it finds no interface)."""
    found = [route for route in host.facts.all("route") if route.startswith("default")]
    return judged(
        bool(found),
        found[0].strip() if found else "none",
        wanted="a default route",
        remedy="add one, even if its gateway leads nowhere: ip route add default via GATEWAY",
    )


@check("P412", "no route of a host is in the networks of pods and services", "error")
def overlap(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """What lies there could not be reached any more from hosts and pods, or pods not from the hosts."""
    networks = {"pods": evidence.inventory.network.pods, "services": evidence.inventory.network.services}
    for host in evidence.hosts:
        clashes = [
            f"{route} and network.{name} {network}"
            for route in routes_of(host)
            for name, network in networks.items()
            if route.overlaps(network)
        ]
        yield (
            host.name,
            judged(
                not clashes,
                "; ".join(clashes) or "apart",
                wanted="no overlap",
                remedy="choose other networks in cluster.network, of which no host has a route",
            ),
        )


@cluster_check("P413", "all nodes' interfaces have one MTU", "warning")
def one_mtu(evidence: Evidence) -> Judged | None:
    """A packet that one host sends whole does not fit another's interface and is lost without a word."""
    found = {host.name: str(size) for host in evidence.hosts if (size := mtu_of(host))}
    remedy = "set the smallest of them everywhere, and in the network's configuration files"
    return alike(found, wanted="the same everywhere", remedy=remedy) if found else None


@host_check("P419", "the node's MTU is large enough", "error")
def mtu(host: HostEvidence) -> Judged | None:
    """The overlay takes 50 bytes of it, and much expects that 1,230 are left."""
    found = mtu_of(host)
    if not found:
        return None
    return judged(
        found >= SMALLEST_MTU,
        str(found),
        wanted=f"{SMALLEST_MTU} or more",
        remedy=f"ip link set dev {host.interface} mtu 1500, where the network carries it",
    )


def may_hold_address(host: HostEvidence) -> bool:
    """Whether the virtual IP may be there: on a control plane of this cluster, also of one that is only half made."""
    ours = host.owner == host.all.inventory.name or (not host.owner and is_active(host, "keepalived"))
    return host.entry.is_control_plane and ours


def network_of(host: HostEvidence) -> IPv4Network | None:
    """The one of the node's address."""
    found = host.facts.interface_of(host.entry.node_address)
    return found[1].network if found else None


def routes_of(host: HostEvidence) -> Iterator[IPv4Network]:
    """Networks that a host has routes to, without the default one and those of this cluster itself."""
    member = host.owner == host.all.inventory.name
    for route in filter(str.strip, host.facts.all("route")):
        words = route.split()
        device = words[words.index("dev") + 1] if "dev" in words[:-1] else ""
        network = words[1] if words[0] in KINDS else words[0]
        if network != "default" and not (member and device in OURS):
            yield IPv4Network(network, strict=False)


def mtu_of(host: HostEvidence) -> int:
    """Of the node's interface; 0 where none has the node's address."""
    link = host.facts.links.get(host.interface)
    return link.mtu if link else 0
