"""How late a process gets to do what is due: as late what it stamps may have been stamped."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from .alarm import Alarm


class Beat:
    """Wakes every ``every_ns`` in the running loop from :meth:`start` on, and notes how much later than due it was."""

    def __init__(self, every_ns: int) -> None:
        self._every_ns = every_ns
        self._late: list[tuple[int, int]] = []
        self._due_ns = 0
        self._alarm = Alarm(self._beat)

    def start(self) -> None:
        """The first time is due in ``every_ns``."""
        self._due_ns = time.monotonic_ns() + self._every_ns
        self._alarm.set(self._due_ns)

    @property
    def late(self) -> npt.NDArray[np.int64]:
        """A row for each time: when it was (CLOCK_MONOTONIC ns), and how late (ns)."""
        return np.array(self._late, dtype=np.int64).reshape(-1, 2)

    def close(self) -> None:
        """It beats no more."""
        self._alarm.close()

    def _beat(self) -> None:
        now_ns = time.monotonic_ns()
        self._late.append((now_ns, now_ns - self._due_ns))
        self._due_ns = now_ns + self._every_ns
        self._alarm.set(self._due_ns)
