"""SIGINT, SIGTERM and SIGHUP alike: the first ends the session in good order and in time, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

from .outcome import Code

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CUT_S = 2.0
"""How long fixtures may clean up after the first signal. The cluster's own teardown has the rest of five seconds."""


class Signals:
    """Signal handlers of the process that owns the cluster; :attr:`received` names the first signal."""

    def __init__(self) -> None:
        self.received = ""
        self.closing = False
        """Set by the owner when only its own teardown is left, which has limits of its own."""
        self._former: dict[signal.Signals, Any] = {}

    def install(self) -> None:
        """Take the signals over; only the main thread may, elsewhere nothing happens."""
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                self._former[number] = signal.signal(number, self._end)

    def restore(self) -> None:
        """Give the signals back."""
        if self.received:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if self.received:
            os._exit(Code.INTERRUPTED)  # what was not handed over dies with this process, and run.json says cut off
        self.received = signal.Signals(number).name
        self._former[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._cut)
        signal.setitimer(signal.ITIMER_REAL, CUT_S)
        raise KeyboardInterrupt(self.received)

    def _cut(self, _number: int, _frame: FrameType | None) -> None:
        if not self.closing:
            raise KeyboardInterrupt(f"{self.received}: fixtures took longer than {CUT_S:g} s to clean up")
