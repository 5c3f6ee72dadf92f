"""P1xx: the machine itself, and that machines are not copies of each other."""

from __future__ import annotations

from ..artifacts.packages import CODENAMES
from ..kubeadm.supplies import distribution_of
from .check import cluster_check, host_check
from .evidence import Evidence, HostEvidence
from .finding import Judged, alike, at_least, different, judged

GIB = 1024**3
KUBEADM_CORES = 2
"""kubeadm's own preflight refuses a control plane with fewer (NumCPU)."""
KUBEADM_MEMORY_GIB = 1.66
"""1700 MB, in the same way (Mem)."""
OLDEST_SYSTEMD = 247
"""Debian 11's; older ones lack what kubelet's systemd driver uses on cgroup v2."""
FREE_PIDS = 4096


@host_check("P101", "enough processor cores", "error")
def cores(host: HostEvidence) -> Judged:
    """kubeadm refuses a control plane with fewer than two cores; with more, etcd is not disturbed by its neighbours."""
    return at_least(
        host.facts.number("cores"),
        minimal=KUBEADM_CORES if host.entry.is_control_plane else 1,
        recommended=4 if host.entry.is_control_plane else 2,
        unit="cores",
        remedy="give the machine more cores, or take another one",
        below="note",
    )


@host_check("P102", "enough memory", "error")
def memory(host: HostEvidence) -> Judged:
    """kubeadm refuses a control plane below 1700 MB. API server, etcd and the rest take about 1 GiB from the start."""
    return at_least(
        host.facts.memory_bytes / GIB,
        minimal=KUBEADM_MEMORY_GIB if host.entry.is_control_plane else 0.9,
        recommended=3.5 if host.entry.is_control_plane else 1.8,
        unit="GiB",
        remedy="give the machine more memory, or take another one",
        below="warning",
    )


@host_check("P103", "memory is free", "warning")
def free_memory(host: HostEvidence) -> Judged | None:
    """What runs beside Kubernetes leaves it no room; kubelet then evicts pods."""
    if host.is_member:
        return None
    free = dict(value.split(":") for value in host.facts.all("memory_kib")).get("MemAvailable", "0")
    return at_least(
        int(free) * 1024 / GIB,
        minimal=1,
        recommended=1,
        unit="GiB",
        remedy="end what else runs there: `ps aux --sort=-rss | head`",
        below="warning",
    )


@cluster_check("P104", "all hosts have one architecture", "error")
def architecture(evidence: Evidence) -> Judged | None:
    """A bundle holds the programs and images of one architecture."""
    found = {host.name: host.facts.architecture for host in evidence.hosts}
    return alike(found, wanted="the same everywhere", remedy="make a cluster of each architecture") if found else None


@cluster_check("P105", "all hosts have one distribution", "error")
def one_distribution(evidence: Evidence) -> Judged | None:
    """Packages are taken from the bundle for one distribution."""
    found = {host.name: distribution_of(host.facts) for host in evidence.hosts}
    remedy = "install the same distribution and version everywhere"
    return alike(found, wanted="the same everywhere", remedy=remedy) if found else None


@host_check("P106", "the distribution is one that packages are known for", "error")
def distribution(host: HostEvidence) -> Judged:
    """containerd, haproxy, keepalived and the rest are the distribution's own packages."""
    found = distribution_of(host.facts)
    return judged(
        found in CODENAMES,
        f"{found} ({host.facts.one('os_name')})",
        wanted=" or ".join(CODENAMES),
        remedy="install one of these; others are not tried",
    )


@cluster_check("P107", "every host has a machine-id of its own", "warning")
def machine_id(evidence: Evidence) -> Judged:
    """Cloned machines share it; DHCP, journald and cloud controllers then take them for one."""
    return different(
        {host.name: host.facts.one("machine_id") for host in evidence.hosts},
        wanted="all different",
        remedy="on all but one: rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; then reboot",
    )


@host_check("P108", "there is a machine-id", "error")
def has_machine_id(host: HostEvidence) -> Judged:
    """kubelet reports it as the node's identity; journald writes nothing without it."""
    found = host.facts.one("machine_id")
    return judged(
        len(found) == 32,
        found or "none",
        wanted="32 hexadecimal digits",
        remedy="systemd-machine-id-setup, then reboot",
    )


@cluster_check("P109", "every machine has a product UUID of its own", "warning")
def product_uuid(evidence: Evidence) -> Judged:
    """Kubernetes' documentation asks for it; some network and storage plugins tell nodes apart by it."""
    return different(
        {host.name: host.facts.one("product_uuid") for host in evidence.hosts if not host.is_container},
        wanted="all different",
        remedy="let the hypervisor give each machine its own (cloned machines share it)",
    )


@host_check("P110", "systemd is in charge", "error")
def systemd(host: HostEvidence) -> Judged:
    """containerd, kubelet, haproxy and keepalived are its services, and every step is a unit of it."""
    init, version = host.facts.one("init"), host.facts.one("systemd")
    return judged(
        init == "systemd" and version.isdigit() and int(version) >= OLDEST_SYSTEMD,
        f"process 1 is {init}, systemd {version or 'is missing'}",
        wanted=f"systemd, {OLDEST_SYSTEMD} or newer",
        remedy="install a distribution that starts by systemd",
    )


@host_check("P111", "no service has failed", "warning")
def failed_services(host: HostEvidence) -> Judged:
    """A service that failed before is easily taken for the cluster's fault afterwards."""
    failed = host.facts.all("failed")
    return judged(
        not failed,
        ", ".join(failed) or host.facts.one("systemd_state"),
        wanted="none failed",
        remedy=f"systemctl status {failed[0] if failed else ''}; then mend it, or `systemctl reset-failed`",
    )


@host_check("P112", "process numbers are left", "warning")
def free_pids(host: HostEvidence) -> Judged:
    """Every thread of every pod takes one; without any left nothing can be started, not even a login."""
    return at_least(
        host.facts.number("pid_max") - host.facts.number("processes"),
        minimal=FREE_PIDS,
        recommended=FREE_PIDS,
        unit="free",
        remedy="sysctl -w kernel.pid_max=4194304, and keep it in /etc/sysctl.d",
        below="warning",
    )


@host_check("P113", "nothing is withheld from root", "note")
def capabilities(host: HostEvidence) -> Judged:
    """A container may lack CAP_SYS_RESOURCE; containerd and kubelet are then configured to do without oom scores."""
    return judged(
        not host.facts.restricted,
        "CAP_SYS_RESOURCE is missing" if host.facts.restricted else "all capabilities",
        wanted="CAP_SYS_RESOURCE",
        remedy="nothing to do for practising; use a machine, or a container with that capability, for real work",
    )
