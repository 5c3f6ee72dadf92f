"""What the measuring itself uses: processor time of this process and of every process that it started."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass

from .processes import cpu_seconds, family

GOAL = 0.05
"""Of the processor time of the control plane under the load named ``standard``; above it the harness is in the way."""


@dataclass(frozen=True, slots=True)
class HarnessMeter:
    """Processor time of the harness from :meth:`start` on."""

    root: int
    before_s: float
    started_ns: int

    @classmethod
    def start(cls) -> HarnessMeter:
        """Of this process and its descendants; in a worker of pytest-xdist of the controller and all of its."""
        root = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
        return cls(root, _used_s(root), time.monotonic_ns())

    def cpu_s(self) -> float:
        """Since the start. Those that ended and were waited for meanwhile count in full."""
        return _used_s(self.root) - self.before_s

    def cores(self) -> float:
        """The same per second of wall time since the start."""
        wall_ns = time.monotonic_ns() - self.started_ns
        return self.cpu_s() / (wall_ns / 1e9)


def _used_s(root: int) -> float:
    total_s = 0.0
    for pid in [*family(root)]:
        with suppress(OSError):  # it ended just now
            total_s += cpu_seconds(pid)
    return total_s
