"""How many files may be watched: six hosts with systemd, containerd and kubelets want more than a kernel allows."""

from __future__ import annotations

from pathlib import Path

WANTED = {"max_user_instances": 1024, "max_user_watches": 524288}


def raise_limits(folder: Path = Path("/proc/sys/fs/inotify")) -> list[str]:
    """Raise fs.inotify.* until the next boot where that is allowed; gives the line to type for each that was not."""
    refused = []
    for name, wanted in WANTED.items():
        if int((folder / name).read_text()) >= wanted:
            continue
        try:
            (folder / name).write_text(f"{wanted}\n")
        except OSError:
            refused.append(f"sudo sysctl -w fs.inotify.{name}={wanted}")
    return refused
