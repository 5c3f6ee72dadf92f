"""P6xx: programs and packages on hosts, and whether the bundle is for them."""

from __future__ import annotations

import re

from ..kubeadm.supplies import distribution_of
from .check import cluster_check, host_check
from .clocks import is_active
from .evidence import Evidence, HostEvidence
from .finding import Fix, Judged, judged

PROGRAMS = ("bash", "flock", "gzip", "ip", "mount", "nsenter", "sha256sum", "systemd-run", "tar")
"""What steps run on hosts, and what kubeadm's preflight looks for (InPath)."""
KUBELET_BEHIND = 3
"""A kubelet may be three minor versions older than the API server, never newer (version skew policy)."""
CONTAINERD_1_ENDS = (1, 38)
"""kubelet then learns the cgroup driver from containerd alone, which 1.x does not tell (KEP-4033)."""
OTHER_RUNTIMES = ("docker", "crio")


@host_check("P601", "packages are installed by dpkg", "error")
def dpkg(host: HostEvidence) -> Judged:
    """Bundles hold Debian packages."""
    found = host.facts.all("package_tool")
    return judged("dpkg" in found, ", ".join(found) or "none", wanted="dpkg", remedy="install Debian 12 or 13")


@host_check("P602", "nobody else installs packages", "error")
def unlocked(host: HostEvidence) -> Judged | None:
    """dpkg waits for nobody: an automatic upgrade that runs makes the installation fail."""
    found = host.facts.one("dpkg_locked")
    if not found:
        return None
    return judged(
        found == "no",
        "locked" if found == "yes" else "free",
        wanted="free",
        remedy="wait for it, or see who has it: fuser -v /var/lib/dpkg/lock-frontend; then systemctl disable --now "
        "apt-daily.timer apt-daily-upgrade.timer",
    )


@host_check("P603", "no installation was cut off", "error")
def whole(host: HostEvidence) -> Judged | None:
    """dpkg refuses everything until what it left half done is finished."""
    if "dpkg" not in host.facts.all("package_tool"):
        return None
    found = host.facts.one("dpkg_broken") == "yes"
    return judged(
        not found,
        "packages are half installed (dpkg --audit)" if found else "all whole",
        wanted="all whole",
        remedy="dpkg --configure -a",
        fix=Fix(
            what="finish what dpkg left half done",
            script="DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a",
        ),
    )


@host_check("P604", "the programs that steps need are there", "error")
def programs(host: HostEvidence) -> Judged:
    """Steps are scripts of these, run as units of systemd; a bundle brings the rest."""
    missing = [name for name in PROGRAMS if name not in host.facts.pairs("program")]
    return judged(
        not missing,
        f"{', '.join(missing)} missing" if missing else "all",
        wanted=", ".join(PROGRAMS),
        remedy="apt-get install bash coreutils gzip iproute2 mount systemd tar util-linux",
    )


@host_check("P605", "no other container runtime is in the way", "warning")
def other_runtimes(host: HostEvidence) -> Judged:
    """Docker sets the FORWARD policy to DROP, which stops pods' packets, and shares containerd."""
    found = [name for name in OTHER_RUNTIMES if is_active(host, name)]
    return judged(
        not found,
        ", ".join(found) or "none",
        wanted="none",
        remedy=f"systemctl disable --now {' '.join(found)} where nobody needs it",
    )


@host_check("P606", "containerd suits Kubernetes", "error")
def containerd(host: HostEvidence) -> Judged | None:
    """containerd 1.x works up to Kubernetes 1.37."""
    found = host.facts.one("containerd")
    if not found:
        return None
    return judged(
        not found.startswith("1.") or host.all.kubernetes < CONTAINERD_1_ENDS,
        found,
        wanted="2.0 or newer" if host.all.kubernetes >= CONTAINERD_1_ENDS else "1.6 or newer",
        remedy="use a distribution with containerd 2 (Debian 13), or an older Kubernetes",
    )


@host_check("P607", "kubelet is not newer than the API server, nor much older", "error")
def skew(host: HostEvidence) -> Judged | None:
    """Of a member or another cluster's leftover. Up to three minor versions behind are allowed, none ahead."""
    found = re.match(r"v?(\d+)\.(\d+)", host.facts.one("kubelet"))
    if found is None:
        return None
    has, wanted = (int(found[1]), int(found[2])), host.all.kubernetes
    behind = wanted[1] - has[1]
    return judged(
        has[0] == wanted[0] and 0 <= behind <= KUBELET_BEHIND,
        host.facts.one("kubelet"),
        wanted=f"{wanted[0]}.{wanted[1] - KUBELET_BEHIND} to {wanted[0]}.{wanted[1]}",
        remedy="upgrade by one minor version at a time, or ask for that version in the inventory",
    )


@cluster_check("P608", "the Kubernetes of members can be taken to the one wanted", "error")
def upgrade(evidence: Evidence) -> Judged | None:
    """kubeadm upgrades one minor version at a time and never goes back."""
    found = {
        host.name: (int(match[1]), int(match[2]))
        for host in evidence.control_planes
        if host.is_member and (match := re.match(r"v?(\d+)\.(\d+)", host.facts.one("kubelet")))
    }
    if not found:
        return None
    wanted = evidence.kubernetes
    far = {name: has for name, has in found.items() if not 0 <= wanted[1] - has[1] <= 1}
    text = ", ".join(f"{name} {major}.{minor}" for name, (major, minor) in (far or found).items())
    return judged(
        not far,
        text,
        wanted=f"{wanted[0]}.{wanted[1] - 1} or {wanted[0]}.{wanted[1]}",
        remedy="name the version between them first, or the one that is there, in the inventory",
    )


@cluster_check("P609", "there is a bundle, and it can be read", "error")
def bundle(evidence: Evidence) -> Judged | None:
    """Everything that hosts get comes from it."""
    supply = evidence.bundle
    if supply is None and all(host.is_member for host in evidence.hosts):
        return None
    if supply is None:
        remedy = "idcbench bundle create -o idc.bundle beside the inventory before idcbench up; or name it by --bundle"
        return judged(False, "none", wanted="a whole bundle", remedy=remedy, level="note")
    found, _, remedy = supply.trouble.partition("; ")
    remedy = remedy or "create it anew with `idcbench bundle create`, or name another by --bundle"
    return judged(not found, found or supply.path, wanted="a whole bundle", remedy=remedy)


@host_check("P610", "the bundle is for this architecture", "error")
def bundle_architecture(host: HostEvidence) -> Judged | None:
    """Programs of another do not run."""
    manifest = host.all.bundle.manifest if host.all.bundle else None
    if manifest is None:
        return None
    return judged(
        manifest.architecture == host.facts.architecture,
        f"the bundle {manifest.architecture}, the host {host.facts.architecture}",
        wanted="the same",
        remedy=f"create a bundle on a machine of {host.facts.architecture}",
    )


@host_check("P611", "the bundle has packages for this distribution", "error")
def bundle_distribution(host: HostEvidence) -> Judged | None:
    """Those of another do not fit."""
    manifest = host.all.bundle.manifest if host.all.bundle else None
    if manifest is None:
        return None
    found = distribution_of(host.facts)
    return judged(
        found in manifest.distributions,
        f"the bundle {', '.join(manifest.distributions) or 'none'}, the host {found}",
        wanted=found,
        remedy=f"idcbench bundle create --distribution {found} -o FILE",
    )


@cluster_check("P612", "the bundle has the Kubernetes that the inventory asks for", "error")
def bundle_kubernetes(evidence: Evidence) -> Judged | None:
    """Nothing else can be installed from it."""
    manifest = evidence.bundle.manifest if evidence.bundle else None
    if manifest is None:
        return None
    asked = evidence.inventory.kubernetes.removeprefix("v")
    return judged(
        manifest.kubernetes == asked or manifest.kubernetes.startswith(f"{asked}."),
        manifest.kubernetes,
        wanted=asked,
        remedy=f"idcbench bundle create --kubernetes {asked} -o FILE, or change the inventory",
    )
