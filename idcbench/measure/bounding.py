"""What bounds a rate: which processes kept the processors busy while it was measured. Pure but for the readings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from .processes import cpu_seconds

FULL = 0.9
"""From this share of what there is on, a processor (or all of them) counts as the bound."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Processor time of named processes from :meth:`start` on."""

    processes: Mapping[str, int]
    before: Mapping[str, float]
    at_ns: int

    @classmethod
    def start(cls, processes: Mapping[str, int]) -> Meter:
        return cls(processes, {name: cpu_seconds(pid) for name, pid in processes.items()}, time.monotonic_ns())

    def cores(self) -> dict[str, float]:
        """How many cores each kept busy since the start."""
        wall_s = (time.monotonic_ns() - self.at_ns) / 1e9
        return {name: (cpu_seconds(pid) - self.before[name]) / wall_s for name, pid in self.processes.items()}


def bound_of(cores: Mapping[str, float], *, available: int, single_threaded: str) -> str:
    """In words: the whole machine, the ``single_threaded`` process, or waiting.

    ``cores`` is what each process kept busy, ``available`` how many there are.
    """
    total = sum(cores.values())
    shares = ", ".join(f"{name} {busy:.2f}" for name, busy in sorted(cores.items(), key=lambda item: -item[1]))
    if total >= FULL * available:
        return f"the processors: {total:.2f} of {available} busy ({shares})"
    if cores.get(single_threaded, 0.0) >= FULL:
        return f"the client, which has one thread ({shares})"
    return f"waiting: {total:.2f} of {available} processors busy ({shares})"
