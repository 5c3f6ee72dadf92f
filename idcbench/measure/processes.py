"""What a process uses, from /proc: processor time, memory at its peak, with those it started."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu_s`` is user and system time, ended and reaped children included; ``peak_bytes`` the sum of VmHWM."""

    cpu_s: float
    peak_bytes: int


def usage(pid: int) -> Usage:
    """Of ``pid`` and what descends from it; zeros when it is gone."""
    cpu_s, peak_bytes = 0.0, 0
    for one in family(pid):
        with contextlib.suppress(OSError, IndexError, ValueError):
            cpu_s += cpu_seconds(one)
            peak_bytes += _peak_bytes(one)
    return Usage(cpu_s, peak_bytes)


def cpu_seconds(pid: int) -> float:
    """Of one process and its reaped children. Raises ``OSError`` when it is gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(ticks) for ticks in fields[11:15]) * TICK_S  # utime, stime, cutime, cstime: proc_pid_stat(5)


def family(pid: int) -> Iterator[int]:
    """``pid`` and all its descendants that live."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield from family(child)


def _peak_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
