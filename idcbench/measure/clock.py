"""The clocks: everything is stamped with CLOCK_MONOTONIC; other programs' wall-clock stamps are translated to it."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClockPair:
    """CLOCK_REALTIME and CLOCK_MONOTONIC at the same moment, in ns, known to within ``error_ns``."""

    realtime_ns: int
    monotonic_ns: int
    error_ns: int

    @classmethod
    def read(cls, *, tries: int = 5) -> ClockPair:
        """Read both, keeping the reading that was interrupted least."""
        return min((cls._read_once() for _ in range(tries)), key=lambda pair: pair.error_ns)

    @classmethod
    def _read_once(cls) -> ClockPair:
        before_ns = time.monotonic_ns()
        realtime_ns = time.time_ns()
        after_ns = time.monotonic_ns()
        return cls(realtime_ns, (before_ns + after_ns) // 2, (after_ns - before_ns + 1) // 2)

    def monotonic_of(self, realtime_ns: int) -> int:
        """The monotonic time of a wall-clock stamp, right unless the wall clock jumped in between."""
        return self.monotonic_ns + realtime_ns - self.realtime_ns

    def realtime_of(self, monotonic_ns: int) -> int:
        """The wall clock's time at a monotonic one, right under the same condition."""
        return self.realtime_ns + monotonic_ns - self.monotonic_ns

    def moved_ms(self, later: ClockPair) -> float:
        """How far the wall clock moved against the monotonic one until ``later``."""
        return ((later.realtime_ns - self.realtime_ns) - (later.monotonic_ns - self.monotonic_ns)) / 1e6
