"""What this machine must have before an embedded cluster is tried, and the line to type where it has not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ...errors import ClusterError

PROGRAMS = {
    "ip": "iproute2",
    "bridge": "iproute2",
    "tc": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "sysctl": "procps",
    "hostname": "hostname",
    "bash": "bash",
    "haproxy": "haproxy",
    "keepalived": "keepalived",
}
"""Program to package; the names are the same on Debian and on the RHEL family but for those in ``RHEL_NAMES``."""
RHEL_NAMES = {"iproute2": "iproute iproute-tc", "procps": "procps-ng"}
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where haproxy, keepalived and ip often are, and an ordinary user's PATH is not."""
MEMBER_MIB = 400
"""etcd's log and data (64 MiB segments, of which it keeps a spare one), audit log and logs of an hour of tests."""
OLDEST_KERNEL = (5, 3)
"""pidfd_open(2), by which the end of PID 1 is awaited."""


def search_path() -> str:
    return f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}"


def check(*, release: str = "") -> None:
    """Raise :class:`ClusterError` with a remedy when a program is missing or the kernel is too old."""
    release = release or os.uname().release
    major, minor = (int("".join(c for c in part if c.isdigit()) or 0) for part in release.split(".")[:2])
    if (major, minor) < OLDEST_KERNEL:
        raise ClusterError(f"kernel {release} is too old for the embedded target: it needs 5.3 or newer")
    missing = [program for program in PROGRAMS if shutil.which(program, path=search_path()) is None]
    if missing:
        raise ClusterError(f"missing programs: {', '.join(missing)}; install them with `{install_line(missing)}`")


def check_space(folder: Path, *, members: int) -> None:
    """Raise :class:`ClusterError` when the disk under ``folder`` cannot hold the cluster's data and logs."""
    free_mib, wanted_mib = shutil.disk_usage(folder).free // 2**20, members * MEMBER_MIB
    if free_mib < wanted_mib:
        raise ClusterError(
            f"no space for the cluster: {folder} has {free_mib} MiB free and {members} members need {wanted_mib} MiB; "
            "free some, or set XDG_STATE_HOME to a folder on a larger disk"
        )


def install_line(programs: list[str], *, os_release: Path = Path("/etc/os-release")) -> str:
    """The one line to type to get ``programs`` on this distribution."""
    packages = sorted({PROGRAMS[program] for program in programs})
    text = os_release.read_text() if os_release.exists() else ""
    sudo = "" if os.geteuid() == 0 else "sudo "
    if any(name in text for name in ("rhel", "fedora", "centos")):
        return f"{sudo}dnf install -y {' '.join(RHEL_NAMES.get(package, package) for package in packages)}"
    return f"{sudo}apt-get install -y {' '.join(packages)}"
