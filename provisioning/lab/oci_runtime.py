#!/usr/bin/python3 -IS
"""An OCI runtime that runs runc without the capabilities that this machine cannot grant.

Where a capability is missing from the bounding set, runc refuses every privileged container ("unable to apply caps").
Installed as a program of its own; needs nothing but Python. Containers and `docker exec` both come through here.
"""

import json
import os
import sys

NAMES = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE \
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN \
SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE \
MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE".split()
"""By number, as in linux/capability.h."""


def missing(status: str, last: int) -> set[str]:
    """The capabilities up to number ``last`` that the bounding set in a ``/proc/PID/status`` lacks."""
    bounding = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapBnd:"))
    return {f"CAP_{name}" for number, name in enumerate(NAMES[: last + 1]) if not bounding >> number & 1}


def here(pid: str = "self") -> set[str]:
    """What this machine cannot grant to what process ``pid`` starts."""
    with open(f"/proc/{pid}/status") as status, open("/proc/sys/kernel/cap_last_cap") as last:  # noqa: PTH123 - no imports
        return missing(status.read(), int(last.read()))


def without(process: dict, names: set[str]) -> None:  # type: ignore[type-arg]
    """Take the capabilities out of a process as the OCI runtime specification describes it."""
    for kind, given in (process.get("capabilities") or {}).items():
        process["capabilities"][kind] = [name for name in given if name not in names]


def rewrite(path: str, names: set[str], *, whole: bool) -> None:
    """Do so in a file: a bundle's config.json, or one process."""
    with open(path) as file:  # noqa: PTH123 - as above
        document = json.load(file)
    without(document.get("process") or {} if whole else document, names)
    with open(path, "w") as file:  # noqa: PTH123 - as above
        json.dump(document, file)


def files(argv: list[str]) -> list[tuple[str, bool]]:
    """The files that a command line of runc names, and whether each is a whole configuration."""
    named = []
    for option, value in zip(argv, [*argv[1:], ""], strict=True):
        key, _, joined = option.partition("=")
        if key in ("--bundle", "-b"):
            named.append((os.path.join(joined or value, "config.json"), True))  # noqa: PTH118 - as above
        elif key in ("--process", "-p"):
            named.append((joined or value, False))
    return [(path, whole) for path, whole in named if os.path.isfile(path)]  # noqa: PTH113 - as above


if __name__ == "__main__":
    for named_file, is_whole in files(sys.argv[1:]):
        rewrite(named_file, here(), whole=is_whole)
    os.execvp("runc", ["runc", *sys.argv[1:]])
