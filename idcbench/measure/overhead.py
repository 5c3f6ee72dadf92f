"""What an instrument costs and how late it is: the measuring is measured."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CPU_SHARE_LIMIT = 0.15
"""Of the whole machine. Above it the probe competes with what it measures."""
LAG_P99_LIMIT_MS = 10.0
"""A quarter of the shortest interval between requests of a stream."""
LAG_SAMPLES_NEEDED = 299
"""The least number for which a 95 % upper bound of p99 exists (0.99^n <= 0.05)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """``cpu_share`` is of all cores, 0 to 1; lag is how much later than planned the requests started."""

    cpu_share: float
    cpu_s: float
    wall_s: float
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    samples: int

    @property
    def objections(self) -> tuple[str, ...]:
        """Why nothing that this instrument measures here can be trusted; empty when it can."""
        found = []
        if self.cpu_share > CPU_SHARE_LIMIT:
            found.append(f"the probe took {self.cpu_share:.0%} of the machine; at most {CPU_SHARE_LIMIT:.0%} is right")
        if self.lag_p99_ms > LAG_P99_LIMIT_MS:
            found.append(
                f"the probe started 1 % of its requests {self.lag_p99_ms:.1f} ms late or later; at most"
                f" {LAG_P99_LIMIT_MS:.0f} ms is right"
            )
        if self.samples < LAG_SAMPLES_NEEDED:
            found.append(f"the probe's lag is known of {self.samples} requests only; {LAG_SAMPLES_NEEDED} are needed")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class CpuMeter:
    """CPU time of this process, all its threads, from :meth:`start` on."""

    cpu_s: float
    wall_ns: int

    @classmethod
    def start(cls) -> CpuMeter:
        return cls(_cpu_s(), time.monotonic_ns())

    def cpu_share(self) -> float:
        """Of all cores, 0 to 1, since the start."""
        return (_cpu_s() - self.cpu_s) / ((time.monotonic_ns() - self.wall_ns) / 1e9) / (os.cpu_count() or 1)

    def overhead(self, lag_ns: npt.NDArray[np.int64]) -> Overhead:
        """What was used since the start, with the lags of what was sent meanwhile."""
        lag_ms = lag_ns / 1e6 if len(lag_ns) else np.zeros(1)
        return Overhead(
            cpu_share=self.cpu_share(),
            cpu_s=_cpu_s() - self.cpu_s,
            wall_s=(time.monotonic_ns() - self.wall_ns) / 1e9,
            lag_p50_ms=float(np.quantile(lag_ms, 0.5, method="higher")),
            lag_p99_ms=float(np.quantile(lag_ms, 0.99, method="higher")),
            lag_max_ms=float(lag_ms.max()),
            samples=len(lag_ns),
        )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
