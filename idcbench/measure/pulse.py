"""The harness's own scheduling delay: a tiny process that wants to wake at fixed times, and notes how late it did.

    python -m idcbench.measure.pulse      as an Instrument: see :class:`Pulse`

What starves it starves the instruments too: they wake by the same timers, as urgent for the kernel.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from .alarm import Alarm
from .instrument import Commands, Instrument, serve

PERIOD_NS = 50_000_000
"""20 times a second: p99 is known (299 values) after 15 seconds, at some 0.4 % of a core."""
START_S = 10.0
ANSWER_S = 10.0


class Pulse:
    """The process, seen from who measures; it beats from its making on."""

    def __init__(self) -> None:
        self._instrument = Instrument("idcbench.measure.pulse", PERIOD_NS)
        try:
            self._instrument.ask("late", answer_within_s=START_S, since_ns=time.monotonic_ns())
        except BaseException:
            self._instrument.close()
            raise

    def late_ms(self, *, since_ns: int) -> tuple[list[int], list[float]]:
        """When it was to wake from ``since_ns`` (CLOCK_MONOTONIC) until now, and how late it woke each time.

        Older ones are forgotten. Raises :class:`~.instrument.InstrumentError`.
        """
        found = self._instrument.ask("late", answer_within_s=ANSWER_S, since_ns=since_ns)
        return [planned_ns for planned_ns, _ in found], [late_ns / 1e6 for _, late_ns in found]

    def close(self) -> None:
        self._instrument.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


class Beats:
    """What was planned and how late it was; a time that was slept through counts from when it was planned, too."""

    def __init__(self, *, start_ns: int, period_ns: int) -> None:
        self.next_ns = start_ns
        self._period_ns = period_ns
        self._late: list[tuple[int, int]] = []

    def woke(self, now_ns: int) -> None:
        """Note each planned time until ``now_ns``."""
        while self.next_ns <= now_ns:
            self._late.append((self.next_ns, now_ns - self.next_ns))
            self.next_ns += self._period_ns

    def since(self, since_ns: int) -> list[tuple[int, int]]:
        """Planned time and lateness, in ns, from ``since_ns`` on; all of them are forgotten."""
        found, self._late = [beat for beat in self._late if beat[0] >= since_ns], []
        return found


async def run(period_ns: int, commands: Commands) -> None:
    beats = Beats(start_ns=time.monotonic_ns() + period_ns, period_ns=period_ns)

    def ring() -> None:
        beats.woke(time.monotonic_ns())
        alarm.set(beats.next_ns)

    async def answer(command: str, arguments: dict[str, Any]) -> Any:
        if command != "late":
            raise ValueError(f"the pulse knows no command {command!r}")
        beats.woke(time.monotonic_ns())  # one that is due already and has not rung is late, not missing
        return beats.since(arguments["since_ns"])

    alarm = Alarm(ring)
    alarm.set(beats.next_ns)
    try:
        await commands.answer_with(answer)
    finally:
        alarm.close()


if __name__ == "__main__":
    serve(run)
