"""Become PID 1 of user, network, mount, UTS, IPC and PID namespaces of one's own.

Everything started below lives and dies with that PID 1: when it ends, the kernel ends every process, network and
mount. No root is needed where the kernel lets users make user namespaces; root does without them where it must.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from ...errors import ClusterError

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 16384, 1 << 18
"""include/uapi/linux/sched.h and mount.h."""

_libc = ctypes.CDLL(None, use_errno=True)


def unshare_all() -> None:
    """Leave all namespaces for new ones; the PID namespace holds from the next fork on.

    Must be called by a process of one thread. Raises :class:`ClusterError` that names the setting which forbids it.
    """
    uid, gid = os.geteuid(), os.getegid()
    rest = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
    if _unshare(CLONE_NEWUSER | rest) == 0:
        _map_to_root(uid, gid)
    elif uid != 0 or _unshare(rest) != 0:
        raise ClusterError(forbidden_reason(ctypes.get_errno()))


def mount_private() -> None:
    """Give the new PID 1 its own /proc and an empty /run; nothing that is mounted here is seen outside."""
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for folder in ("/run/netns", "/run/uts"):
        Path(folder).mkdir()


def forbidden_reason(error: int, *, proc: Path = Path("/proc/sys")) -> str:
    """Which setting of this kernel forbids the namespaces, and how to change it."""
    wanted = "the embedded target needs user, network, mount and PID namespaces"
    for setting, refuses, remedy in (
        ("kernel/unprivileged_userns_clone", "0", "1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user/max_user_namespaces", "0", "10000"),
    ):
        path = proc / setting
        if path.exists() and path.read_text().strip() == refuses:
            name = setting.replace("/", ".")
            return f"{wanted}; {name} is {refuses}: run `sudo sysctl -w {name}={remedy}`, or run idcbench as root"
    if error == errno.ENOSPC:
        return f"{wanted}; the limit is reached: raise the settings user.max_*_namespaces"
    return (
        f"{wanted}; the kernel refused with {errno.errorcode.get(error, error)}: a container or a security module "
        "forbids them; run idcbench outside the container, as root, or allow unshare(2) and mount(2)"
    )


def _unshare(flags: int) -> int:
    return int(_libc.unshare(flags))


def _map_to_root(uid: int, gid: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    if _libc.mount(*encoded, ctypes.c_ulong(flags), data.encode() if data else None) != 0:
        error = ctypes.get_errno()
        raise ClusterError(f"mounting {target}: {os.strerror(error)}; {forbidden_reason(error)}")
