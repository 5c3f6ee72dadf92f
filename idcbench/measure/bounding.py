"""What bounds a rate: which processes kept the processors busy while it was measured."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .processes import TICK_S, cpu_seconds

FULL = 0.9
"""From this share of what there is on, a processor (or all of them) counts as the bound."""
OTHERS = "others"
"""Whatever else kept the machine busy, and what its host took away (steal)."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Processor time of named processes, and of the whole machine, from :meth:`start` on."""

    processes: Mapping[str, int]
    before: Mapping[str, float]
    machine_s: float
    at_ns: int

    @classmethod
    def start(cls, processes: Mapping[str, int]) -> Meter:
        return cls(processes, _used(processes), machine_seconds(), time.monotonic_ns())

    def cores(self) -> dict[str, float]:
        """How many cores each kept busy since the start, and all :data:`OTHERS`; without those that ended meanwhile."""
        wall_s = (time.monotonic_ns() - self.at_ns) / 1e9
        now = _used(self.processes)
        found = {name: (used - self.before[name]) / wall_s for name, used in now.items()}
        others = (machine_seconds() - self.machine_s) / wall_s - sum(found.values())
        return found | {OTHERS: max(0.0, others)}


def machine_seconds(stat: Path = Path("/proc/stat")) -> float:
    """Processor time that the whole machine has used since it was started, in ticks of 10 ms as a rule."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) * TICK_S


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


def _used(processes: Mapping[str, int]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, pid in processes.items():
        with suppress(OSError):
            found[name] = cpu_seconds(pid)
    return found
