"""What a process uses, from /proc: processor time, memory at its peak, with those it started."""

from __future__ import annotations

import contextlib
import os
import time
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
    """Of one process, to the nanosecond, and of its reaped children, in ticks. Raises ``OSError`` when it is gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    children_s = sum(int(ticks) for ticks in fields[13:15]) * TICK_S  # cutime, cstime: proc_pid_stat(5)
    return time.clock_gettime(_cpu_clock(pid)) + children_s


def family(pid: int) -> Iterator[int]:
    """``pid`` and all its descendants that live."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield from family(child)


def _cpu_clock(pid: int) -> int:
    """The clock of the processor time of another process, as clock_getcpuclockid(3) makes it (CPUCLOCK_SCHED)."""
    return (~pid << 3) | 2


def _peak_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
