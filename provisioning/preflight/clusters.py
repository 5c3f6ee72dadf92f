"""P7xx: clusters that are there already, or were, and what the new one will be."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509

from .check import check, cluster_check, host_check
from .clocks import is_active
from .evidence import Evidence, HostEvidence
from .finding import Judged, judged, listed

SOON = timedelta(days=30)
AT_ONCE = timedelta(days=7)
OUR_NETWORK = "10-flannel.conflist"
ZONE = "topology.kubernetes.io/zone"


@host_check("P701", "the host belongs to no other cluster of idcbench", "error")
def other_cluster(host: HostEvidence) -> Judged:
    """That cluster would lose a member without knowing it."""
    name = host.all.inventory.name
    return judged(
        host.owner in ("", name),
        f"a member of {host.owner}" if host.owner else "none",
        wanted=f"none, or {name}",
        remedy="take it out of the inventory, or remove it from there first: idcbench node remove, or idcbench down",
    )


@host_check("P702", "the host belongs to no cluster that others made", "error")
def foreign_cluster(host: HostEvidence) -> Judged:
    """idcbench never changes what it did not make."""
    foreign = not host.owner and host.is_elsewhere
    return judged(
        not foreign,
        f"a member of {host.facts.one('joined_to') or 'a cluster unknown'}" if foreign else "none",
        wanted="none",
        remedy="take it out of the inventory, or clean it with `kubeadm reset` when that cluster may lose it",
    )


@cluster_check("P703", "all members are of one cluster", "error")
def one_authority(evidence: Evidence) -> Judged | None:
    """Two clusters of one name have different authorities; no member of one is trusted by the other."""
    found = {host.name: host.facts.one("authority")[:12] for host in evidence.hosts if host.is_member}
    if not found:
        return None
    return judged(
        len(set(found.values())) < 2,
        listed(found),
        wanted="one authority",
        remedy="find out which hosts are whose, and take the others out of the inventory",
    )


@host_check("P704", "no etcd data of another time is left", "error")
def etcd_data(host: HostEvidence) -> Judged | None:
    """A new member does not start on it, and it may be the last copy of something."""
    if host.is_elsewhere:
        return None
    left = host.facts.one("etcd_data") == "yes" and not host.is_member
    ours = host.owner == host.all.inventory.name
    return judged(
        not left,
        "/var/lib/etcd/member is there" if left else "none",
        wanted="none",
        remedy="idcbench up cleans it, as it comes from an attempt of this cluster that was cut off"
        if ours
        else "keep a copy if it may be wanted, then: mv /var/lib/etcd /var/lib/etcd.old",
        level="note" if ours else None,
    )


@host_check("P705", "no network plugin's configuration is left", "error")
def network_configuration(host: HostEvidence) -> Judged | None:
    """containerd takes the first file of the folder: pods would get another network's addresses."""
    if host.is_member or host.is_elsewhere:
        return None
    left = [path for path in host.facts.all("cni") if not path.endswith(f"/{OUR_NETWORK}")]
    return judged(
        not left,
        ", ".join(left) or "none",
        wanted="none",
        remedy=f"mv {' '.join(left)} to another folder, and reboot when pods ran there",
    )


@host_check("P706", "certificates are valid for a while", "error")
def certificates(host: HostEvidence) -> Judged | None:
    """On the day that they expire, components stop trusting each other, all at once."""
    ends = dict(_ends(host))
    if not ends:
        return None
    first = min(ends, key=lambda path: ends[path])
    left = ends[first] - host.all.now
    return Judged(
        found=f"{first} until {ends[first]:%Y-%m-%d}",
        wanted=f"{SOON.days} days",
        minimal=f"{AT_ONCE.days} days",
        level="sound" if left > SOON else "warning" if left > AT_ONCE else None,
        remedy="" if left > SOON else "idcbench certs renew",
    )


def _ends(host: HostEvidence) -> Iterator[tuple[str, datetime]]:
    for path, text in host.facts.pairs("certificate").items():
        yield path, x509.load_der_x509_certificate(base64.b64decode(text)).not_valid_after_utc


@host_check("P707", "no step of an earlier run goes on", "warning")
def steps(host: HostEvidence) -> Judged:
    """Steps outlive a broken connection; the next run waits for them."""
    found = host.facts.all("step")
    return judged(
        not found,
        ", ".join(found) or "none",
        wanted="none",
        remedy=f"wait, or see it: journalctl -fu {' '.join(found)}",
    )


@host_check("P708", "no services of a cluster run on a host that is in none", "warning")
def services(host: HostEvidence) -> Judged | None:
    """A kubelet, haproxy or keepalived of another's making will be given our configuration."""
    if host.is_elsewhere:
        return None
    found = [name for name in ("kubelet", "haproxy", "keepalived", "etcd") if is_active(host, name)]
    stray = found if not host.owner else []
    return judged(
        not stray,
        ", ".join(stray) or "none",
        wanted="none",
        remedy=f"systemctl disable --now {' '.join(stray)}, once it is sure that nobody needs them",
    )


@host_check("P709", "no attempt was cut off", "note")
def cut_off(host: HostEvidence) -> Judged:
    """idcbench up makes such a host clean and begins anew with it."""
    begun = host.owner == host.all.inventory.name and not host.is_member
    return judged(
        not begun,
        f"state {host.facts.mark.get('state', '?')}" if begun else "none",
        wanted="none",
        remedy="idcbench up goes on from there",
    )


@cluster_check("P710", "the loss of a control plane is borne", "note")
def availability(evidence: Evidence) -> Judged:
    """etcd needs more than half of its members: of three, one may fail; of one, none."""
    count = len(evidence.inventory.control_planes)
    return judged(
        count >= 3,
        f"{count} control plane{'s' if count > 1 else ''}, {(count - 1) // 2} may fail",
        wanted="3 or 5 control planes",
        remedy="put two more hosts into group control-plane",
    )


@cluster_check("P711", "network policies are enforced", "note")
def policies(evidence: Evidence) -> Judged:
    """flannel does not: a NetworkPolicy is taken and has no effect."""
    plugin = evidence.inventory.network.plugin
    return judged(
        plugin not in ("flannel", "none"),
        f"{plugin} enforces none" if plugin in ("flannel", "none") else plugin,
        wanted="a plugin that enforces them",
        remedy="name the manifest of one that does in network.plugin, where policies matter",
    )


@check("P712", "control planes are not all in one zone", "warning")
def zones(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """Judged where the inventory has zone labels: what fails together should not hold more than half of etcd."""
    found = {host.name: host.labels.get(ZONE, "") for host in evidence.inventory.control_planes}
    if not all(found.values()) or len(found) < 3:
        return
    counts = {zone: list(found.values()).count(zone) for zone in found.values()}
    most = max(counts, key=lambda zone: counts[zone])
    yield (
        "cluster",
        judged(
            counts[most] <= len(found) // 2,
            f"{counts[most]} of {len(found)} in {most}",
            wanted="at most half in one",
            remedy="take control planes in three zones",
        ),
    )


@cluster_check("P713", "the number of control planes is odd", "error")
def odd(evidence: Evidence) -> Judged:
    """etcd needs more than half of its members: of four no more may fail than of three. A warning once it is made."""
    names = [host.name for host in evidence.inventory.control_planes]
    return judged(
        len(names) % 2 == 1,
        f"{len(names)}: {', '.join(names)}",
        wanted="1, 3 or 5",
        remedy="put one host more or less into group control-plane",
        level="warning" if any(host.is_member for host in evidence.control_planes) else None,
    )
