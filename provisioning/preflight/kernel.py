"""P5xx: what the kernel has, and how it is set."""

from __future__ import annotations

import re

from ..kubeadm.scripts import swap_off
from ..kubeadm.wanted import SYSCTLS
from .check import host_check
from .evidence import HostEvidence
from .finding import Fix, Judged, judged

NFTABLES_KERNEL = (5, 13)
"""kube-proxy's nftables mode asks for it (KEP-3866)."""
CGROUP_V1_ENDS = (1, 38)
"""kubelet drops cgroup v1 no earlier (KEP-5573); from 1.35 on it has to be allowed by failCgroupV1: false."""
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
INSTANCES, WATCHES = 512, 65_536
"""inotify: kubelet, containerd and a log reader per pod; the usual 128 instances end at about fifty pods."""
OPEN_FILES = 100_000
SETTINGS_FILE = "/etc/sysctl.d/89-idcbench-check.conf"


@host_check("P501", "the kernel is new enough", "error")
def version(host: HostEvidence) -> Judged:
    """kube-proxy runs in nftables mode, which asks for 5.13."""
    found = re.match(r"(\d+)\.(\d+)", host.facts.one("kernel"))
    return judged(
        found is not None and (int(found[1]), int(found[2])) >= NFTABLES_KERNEL,
        host.facts.one("kernel"),
        wanted="5.13 or newer",
        remedy="install a newer kernel of the distribution, and reboot",
    )


@host_check("P502", "overlayfs is there", "error")
def overlay(host: HostEvidence) -> Judged:
    """containerd keeps images in it."""
    there = "overlay" in host.facts.pairs("module") or any("overlay" in each for each in host.facts.all("filesystem"))
    return judged(
        there, "there" if there else "missing", wanted="the module overlay", remedy="modprobe overlay; see that the "
        "kernel's package is whole (linux-image-amd64, not -cloud without modules)",
    )  # fmt: skip


@host_check("P503", "bridged frames can be filtered", "warning")
def bridge(host: HostEvidence) -> Judged:
    """Without br_netfilter, pods on one host do not reach each other by the address of a Service."""
    there = "br_netfilter" in host.facts.pairs("module") or "net.bridge.bridge-nf-call-iptables" in host.facts.sysctls
    return judged(
        there,
        "there" if there else "missing",
        wanted="the module br_netfilter",
        remedy="modprobe br_netfilter; if it is missing, install the kernel's full package",
    )


@host_check("P504", "vxlan interfaces can be made", "error", measures=True)
def vxlan(host: HostEvidence) -> Judged | None:
    """Tried: one was made under another name and number, and removed at once. flannel needs it."""
    said = host.measured.one("vxlan")
    if not said or host.all.inventory.network.plugin != "flannel":
        return None
    return judged(
        said == "yes", said, wanted="the module vxlan", remedy="modprobe vxlan; or name another network plugin"
    )


@host_check("P505", "nftables is there", "error", measures=True)
def nftables(host: HostEvidence) -> Judged | None:
    """Asked of the kernel itself (netlink). kube-proxy writes its rules by it."""
    said = host.measured.one("nftables")
    if not said:
        return None
    return judged(said == "yes", said, wanted="the module nf_tables", remedy="modprobe nf_tables; or a newer kernel")


@host_check("P506", "the cgroup version suits Kubernetes", "error")
def cgroup(host: HostEvidence) -> Judged:
    """kubelet refuses cgroup v1 from 1.35 on unless it is told not to, and will drop it."""
    found, kubernetes = host.facts.cgroup_version, host.all.kubernetes
    wanted = f"version 2 for Kubernetes {host.all.inventory.kubernetes}"
    return judged(
        found == 2,
        f"version {found}",
        wanted=wanted,
        remedy="boot with systemd.unified_cgroup_hierarchy=1; until 1.37 version 1 works (failCgroupV1: false is set)",
        level=None if kubernetes >= CGROUP_V1_ENDS else "note",
    )


@host_check("P507", "the cgroup controllers are there", "error")
def controllers(host: HostEvidence) -> Judged:
    """kubelet limits pods by them, and does not start without."""
    missing = [name for name in CONTROLLERS if name not in host.facts.all("cgroup_controller")]
    return judged(
        not missing,
        f"{', '.join(missing)} missing" if missing else ", ".join(CONTROLLERS),
        wanted=", ".join(CONTROLLERS),
        remedy="boot with cgroup_enable=memory cgroup_enable=cpuset, without cgroup_disable=",
    )


@host_check("P508", "packets are forwarded", "note")
def forwarding(host: HostEvidence) -> Judged:
    """Pods of other hosts are reached through the host; idcbench up sets it."""
    return _setting(host, "net.ipv4.ip_forward")


@host_check("P509", "bridged frames are filtered", "note")
def bridge_filtered(host: HostEvidence) -> Judged | None:
    """As above; idcbench up sets it."""
    if "net.bridge.bridge-nf-call-iptables" not in host.facts.sysctls:
        return None
    return _setting(host, "net.bridge.bridge-nf-call-iptables")


@host_check("P510", "enough can be watched", "warning")
def inotify(host: HostEvidence) -> Judged:
    """When inotify instances run out, kubelet says "too many open files" and pods have no logs."""
    settings = host.facts.sysctls
    instances = int(settings.get("fs.inotify.max_user_instances", "0"))
    watches = int(settings.get("fs.inotify.max_user_watches", "0"))
    return judged(
        instances >= INSTANCES and watches >= WATCHES,
        f"{instances} instances, {watches} watches",
        wanted=f"{INSTANCES} instances, {WATCHES} watches",
        remedy="idcbench up sets 1024 and 524288; a container takes its machine's: set them there",
        level="note" if not host.is_container else None,
        fix=set_kernel("fs.inotify.max_user_instances", "fs.inotify.max_user_watches"),
    )


@host_check("P511", "enough files can be open", "warning")
def open_files(host: HostEvidence) -> Judged:
    """The limit is for the whole machine."""
    found = int(host.facts.sysctls.get("fs.file-max", "0"))
    return judged(
        found >= OPEN_FILES,
        f"{found:,}",
        wanted=f"{OPEN_FILES:,}",
        remedy=f"sysctl -w fs.file-max={OPEN_FILES * 10}, and keep it in /etc/sysctl.d",
    )


@host_check("P512", "swap is off", "warning")
def swap(host: HostEvidence) -> Judged:
    """Memory limits of pods mean little with it, and kubelet refuses to start unless told otherwise."""
    found = host.facts.one("swap")
    return judged(
        not found,
        found or "off",
        wanted="off",
        remedy="idcbench up switches it off for good; a container has its machine's: there it is let be",
        level="note" if host.facts.restricted else None,
        fix=None if host.facts.restricted else Fix(what="switch swap off, and keep it off", script=swap_off()),
    )


@host_check("P513", "SELinux does not stand in the way", "warning")
def selinux(host: HostEvidence) -> Judged:
    """Enforcing, it refuses pods what they may have by their manifest unless containerd was built and set for it."""
    found = host.facts.one("selinux")
    return judged(
        found.lower() != "enforcing",
        found.lower() or "none",
        wanted="permissive, or none",
        remedy="setenforce 0, and SELINUX=permissive in /etc/selinux/config",
    )


@host_check("P514", "AppArmor is whole or off", "error")
def apparmor(host: HostEvidence) -> Judged:
    """Where the kernel has it, containerd loads a profile for each container and fails without apparmor_parser."""
    on = host.facts.one("apparmor") == "Y"
    parser = "apparmor_parser" in host.facts.pairs("program")
    return judged(
        parser or not on,
        "off" if not on else "on" if parser else "on, apparmor_parser is missing",
        wanted="off, or on with apparmor_parser",
        remedy="apt-get install apparmor; or boot with apparmor=0",
    )


@host_check("P515", "kubelet can read the kernel's log", "warning")
def kernel_log(host: HostEvidence) -> Judged:
    """It learns there which processes were killed for lack of memory, and does not start without /dev/kmsg."""
    there = "/dev/kmsg" in host.facts.all("device")
    return judged(
        there, "there" if there else "missing", wanted="/dev/kmsg", remedy="a container needs it: --device /dev/kmsg"
    )


def set_kernel(*keys: str) -> Fix:
    """Set parameters to what idcbench up wants, now and at every start."""
    lines = "".join(f"{key} = {SYSCTLS[key]}\n" for key in keys)
    now = "\n".join(f"echo {SYSCTLS[key]} > /proc/sys/{key.replace('.', '/')}" for key in keys)
    keep = f"cat >> {SETTINGS_FILE} <<'END'\n{lines}END\n"
    return Fix(what=f"set {', '.join(f'{key} = {SYSCTLS[key]}' for key in keys)}", script=f"{now}\n{keep}")


def _setting(host: HostEvidence, key: str) -> Judged:
    found = host.facts.sysctls.get(key, "missing")
    return judged(
        found == SYSCTLS[key],
        f"{key} = {found}",
        wanted=SYSCTLS[key],
        remedy="idcbench up sets it, now and at every start",
        fix=set_kernel(key),
    )
