"""P414 to P418: what else is on a host that the cluster's packets meet: ports taken, resolvers, firewalls, proxies."""

from __future__ import annotations

from .check import host_check
from .clocks import is_active
from .evidence import HostEvidence
from .finding import Judged, judged
from .ports import ports_on


@host_check("P414", "the ports of the cluster are free", "error")
def ports_free(host: HostEvidence) -> Judged:
    """A component whose port is taken ends, again and again, and says so only in its log."""
    wanted = {port.number: port for port in ports_on(host.all.inventory, host.entry)}
    ours = host.owner == host.all.inventory.name  # ss does not always know who listens
    taken = {
        listening.port: listening.process or "a process unknown"
        for listening in host.facts.listening
        if listening.protocol.startswith("tcp")
        and (port := wanted.get(listening.port)) is not None
        and not (listening.process in port.owners or (ours and not listening.process))
    }
    text = ", ".join(f"{number} ({wanted[number].what}) by {process}" for number, process in sorted(taken.items()))
    return judged(
        not taken,
        text or f"{len(wanted)} ports are free or the cluster's own",
        wanted="free",
        remedy="stop what has them (`ss -lntp`); the endpoint's own can be set: endpoint.port",
    )


@host_check("P415", "a resolver is named", "warning")
def resolver(host: HostEvidence) -> Judged:
    """Pods ask CoreDNS, which asks the host's resolvers for all outside the cluster; without any it does not start."""
    found = host.facts.one("resolver")
    return judged(
        bool(found), found or "none", wanted="an address", remedy="name one in /etc/resolv.conf: nameserver ADDRESS"
    )


@host_check("P416", "the resolver can be asked from pods", "note")
def resolver_outside(host: HostEvidence) -> Judged | None:
    """A resolver on the host's loopback is not the pod's: CoreDNS would ask itself, or nobody."""
    found = host.facts.one("resolver").split()
    if not found:
        return None
    return judged(
        not all(address.startswith("127.") for address in found),
        " ".join(found),
        wanted="an address outside loopback",
        remedy="nothing, where pods need names of the cluster only; else name the real resolver in /etc/resolv.conf",
    )


@host_check("P417", "no firewall stands between", "warning")
def firewall(host: HostEvidence) -> Judged:
    """Its rules know nothing of pods; what is closed is measured separately."""
    found = [name for name in ("firewalld", "ufw", "iptables") if is_active(host, name)]
    return judged(
        not found,
        ", ".join(found) or "none active",
        wanted="none active, or one with rules for the cluster",
        remedy=f"systemctl disable --now {' '.join(found)}, or open the ports and networks of docs/preflight.md",
    )


@host_check("P418", "no proxy stands between", "warning")
def proxy(host: HostEvidence) -> Judged:
    """kubeadm and containerd then send what is meant for the cluster to the proxy. Its address is not read."""
    found = sorted({name.lower() for name in host.facts.all("proxy")})
    asks = [name for name in found if name != "no_proxy"]
    network = host.all.inventory.network
    return judged(
        not asks,
        ", ".join(found) or "none set",
        wanted="none set for root",
        remedy=f"unset it in /etc/environment, or set no_proxy to the hosts, {network.pods} and {network.services}",
        level="note" if "no_proxy" in found else None,
    )
