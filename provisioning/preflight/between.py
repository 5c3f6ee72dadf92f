"""P42x and P43x: what was measured between hosts."""

from __future__ import annotations

from collections.abc import Iterator

from .check import check, host_check
from .evidence import Evidence, HostEvidence
from .finding import Judged, judged
from .network import may_hold_address
from .ports import VXLAN, ports_of

SILENT = "silent"
"""Sent, and nothing came back: what a firewall does that drops."""


@check("P421", "every host gets through to the ports of the others", "error", measures=True)
def ports(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """Measured from each host to each, on the ports that are asked between hosts of their roles."""
    names = {port.number: port.what for port in ports_of(evidence.inventory)}
    # where a cluster is nothing of ours listens: what refuses there is a component that is down, not a firewall
    in_use = {host.name for host in evidence.hosts if host.is_in_use}
    for host in evidence.hosts:
        for target, said in _by_peer(host, "tcp").items():
            fine = {"open", "refused"} if target in in_use else {"open"}
            shut = {port: how for port, how in said.items() if how not in fine}
            text = ", ".join(f"{port} ({names.get(int(port), '?')}) {how}" for port, how in shut.items())
            yield (
                f"{host.name} → {target}",
                judged(
                    not shut,
                    text or ", ".join(said),
                    wanted="open",
                    remedy=f"open TCP {', '.join(shut)} on the second for the first, in every firewall between them",
                ),
            )


@check("P422", "the overlay's packets get through", "error", measures=True)
def overlay(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """Measured by datagrams to UDP 8472, which carries the packets of pods (vxlan)."""
    if evidence.inventory.network.plugin != "flannel":
        return
    for host in evidence.hosts:
        for target, said in _by_peer(host, "udp").items():
            yield (
                f"{host.name} → {target}",
                judged(
                    said.get("small") == "ok",
                    said.get("small", SILENT),
                    wanted="an answer",
                    remedy=f"open UDP {VXLAN} on the second for the first, in every firewall between them",
                ),
            )


@check("P423", "packets of full size get through", "error", measures=True)
def full_size(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """Measured by a datagram as long as the interface allows that must not be cut; small ones got through."""
    for host in evidence.hosts:
        link = host.facts.links.get(host.interface)
        for target, said in _by_peer(host, "udp").items():
            if said.get("small") == "ok" and link is not None:
                yield (
                    f"{host.name} → {target}",
                    judged(
                        said.get("large") == "ok",
                        f"{link.mtu} bytes: {said.get('large', SILENT)}",
                        wanted=f"{link.mtu} bytes",
                        remedy="set the MTU that the path allows on all hosts' interfaces (VPNs and tunnels take some)",
                    ),
                )


@check("P424", "VRRP passes between control planes", "error", measures=True)
def vrrp(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """Measured by packets of protocol 112; without them each keepalived takes the virtual IP for itself."""
    if evidence.inventory.endpoint.mode != "keepalived":
        return
    names = {host.entry.node_address: host.name for host in evidence.hosts}
    for host in evidence.control_planes:
        heard = set(host.measured.all("vrrp"))
        for address in host.measured.all("vrrp_from"):
            source = names.get(address, address)
            if source in evidence.measured:
                yield (
                    f"{source} → {host.name}",
                    judged(
                        address in heard,
                        "heard" if address in heard else "not heard",
                        wanted="heard",
                        remedy="let IP protocol 112 in on the second from the first, and through what is between them",
                    ),
                )


@check("P425", "nobody else answers for the virtual IP", "error", measures=True)
def virtual_ip(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """Measured by ARP, as RFC 5227 asks for before an address is taken."""
    owners = {link.mac: host for host in evidence.hosts for link in host.facts.links.values() if link.mac}
    for host in evidence.control_planes:
        for said in host.measured.all("arp"):
            address, _, mac = said.partition(" ")
            owner = owners.get(mac)
            name = owner.name if owner else mac
            yield (
                host.name,
                judged(
                    mac == "none" or (owner is not None and may_hold_address(owner)),
                    f"{address}: {'nobody' if mac == 'none' else name}",
                    wanted="nobody, or a control plane of this cluster",
                    remedy=f"choose another endpoint.address, or take {address} from {name}",
                ),
            )


@host_check("P426", "the resolver answers", "warning", measures=True)
def resolver(host: HostEvidence) -> Judged | None:
    """Measured by a question to each server of /etc/resolv.conf; any answer will do."""
    said = host.measured.pairs("dns")
    if not said:
        return None
    silent = [server for server, how in said.items() if how == SILENT]
    return judged(
        not silent,
        f"{', '.join(silent)} silent" if silent else "answered",
        wanted="an answer within 2 s",
        remedy="name one that answers in /etc/resolv.conf; without a network, none is needed for the cluster itself",
        level="note" if len(silent) < len(said) else None,
    )


@host_check("P427", "the outside endpoint answers", "warning", measures=True)
def external(host: HostEvidence) -> Judged | None:
    """Measured by a connection. Somebody else's balancer may refuse as long as no API server is behind it."""
    said = host.measured.one("endpoint")
    endpoint = host.all.inventory.endpoint
    if not said:
        return None
    return judged(
        said == "open",
        said,
        wanted=f"{endpoint.address}:{endpoint.port} takes connections",
        remedy="see that the name resolves there, and that the balancer sends to all control planes on 6443",
        level="note" if said == "refused" else None,
    )


def _by_peer(host: HostEvidence, protocol: str) -> dict[str, dict[str, str]]:
    """What was said of each other host: by port or size, how it went."""
    found: dict[str, dict[str, str]] = {}
    for line in host.measured.all(protocol):
        target, what, how = line.split(" ", 2)
        found.setdefault(target, {})[what] = how
    return found
