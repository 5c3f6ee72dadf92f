"""For how long we may write: bindings carry no fencing token, so time has to do.

A leader sends a request only while its lease outlasts the request's time limit L. Then, counted from sending at t:
the kernel gives up undelivered bytes at t + L (TCP_USER_TIMEOUT; a closed connection discards them at once), so a
server has received it by t + L, which is before the lease can be taken; and the server, which is told L too
(``?timeout=``), is done with it by the end of the lease + L. A new leader waits for exactly that.

The clock is CLOCK_BOOTTIME: it does not jump, and goes on while the machine is suspended or the process stopped.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

DRIFT = 0.01
"""Clocks of two machines run differently fast by less than this; a lease is taken to be shorter by as much."""


def boot_s() -> float:
    """Seconds of CLOCK_BOOTTIME."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class Fence:
    """Open until a moment of CLOCK_BOOTTIME; closed at first, unless there is no election at all."""

    until_s: float = -math.inf

    @classmethod
    def always_open(cls) -> Fence:
        return cls(until_s=math.inf)

    def permits(self, limit_s: float) -> bool:
        """Whether a request that lasts ``limit_s`` at most may be sent now."""
        return boot_s() + limit_s <= self.until_s

    def extend(self, sent_s: float, duration_s: float) -> None:
        """The lease was renewed by a request that was sent at ``sent_s``: nobody saw it before, or takes it sooner."""
        self.until_s = sent_s + duration_s * (1 - DRIFT)

    def close(self) -> None:
        """Nothing may be sent any more, until the lease is won again."""
        self.until_s = -math.inf
