"""The machine that measures: what it is, what is installed on it, how its clocks run."""

from __future__ import annotations

import os
import platform
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import __version__
from .schema import ClockAudit, ClockReading

PACKAGES = ("aiohttp", "kubernetes", "msgspec", "numpy", "pytest", "pytest-xdist", "cryptography")
WALL_CLOCK_LIMIT_MS = 1000.0
"""A wall clock that moved further against the monotonic one was set, not slewed: NTP slews at most 0.5 ms/s."""


def machine_facts() -> dict[str, Any]:
    """Kernel, distribution, processor, cores this process may use, memory; what cannot be read is left out."""
    facts: dict[str, Any] = {
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }
    try:
        facts["system"] = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        facts["system"] = platform.system()
    if processor := _first_value(Path("/proc/cpuinfo"), "model name"):
        facts["processor"] = processor
    return facts


def software_versions() -> dict[str, str]:
    """idcbench, Python and the libraries that a measurement goes through (``python-NAME``), as installed."""
    versions = {"idcbench": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[f"python-{name}"] = metadata.version(name)
    return versions


def read_clocks() -> ClockReading:
    """The three clocks within some hundred nanoseconds of each other."""
    return ClockReading(
        realtime_ns=time.time_ns(),
        monotonic_ns=time.monotonic_ns(),
        boottime_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    )


def audit_clocks(started: ClockReading, ended: ClockReading) -> ClockAudit:
    """How far the clocks moved against each other between two readings of one machine."""
    monotonic_ns = ended.monotonic_ns - started.monotonic_ns
    suspended_ns = ended.boottime_ns - started.boottime_ns - monotonic_ns
    moved_ns = ended.realtime_ns - started.realtime_ns - monotonic_ns - suspended_ns
    return ClockAudit(
        started=started,
        ended=ended,
        realtime_moved_ms=round(moved_ns / 1e6, 3),
        suspended_ms=round(max(0, suspended_ns) / 1e6, 3),
    )


def clock_faults(audit: ClockAudit) -> list[str]:
    """Why the clocks make a run invalid; empty when they do not."""
    faults = []
    if audit.realtime_moved_ms is not None and abs(audit.realtime_moved_ms) > WALL_CLOCK_LIMIT_MS:
        faults.append(
            f"the wall clock was set by {audit.realtime_moved_ms / 1000:+.1f} s during the run; "
            "let it settle (chronyc waitsync) and run again"
        )
    if audit.suspended_ms is not None and audit.suspended_ms > WALL_CLOCK_LIMIT_MS:
        faults.append(f"the machine slept for {audit.suspended_ms / 1000:.1f} s during the run; keep it awake")
    return faults


def _first_value(path: Path, key: str) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
