"""Whose turn it is to be written: bindings first, but no event comes late."""

from __future__ import annotations

import time
from collections import deque

from .write import Write

EVENT_WAITS_S = 0.05
EVENT_MOST_S = 1.0
EVENT_SHARE = 7 / 8
"""Events give way to bindings for the first of these times, and have this share of the connections after the second;
between, the share grows. So a backlog settles where both go equally fast, however much dearer an event is to the
server, within the first thousand pods and with the events a second behind. (With 0.25 and 4 s the first thousand were
bound at the rate of bindings alone, the last at 0.64 of it, and the events came 3 s late.)"""


class Turns:
    """Writes that wait, over ``connections`` connections; ``flying`` is kept by the writer: events under way."""

    def __init__(self, connections: int) -> None:
        self.flying = 0
        self._connections = connections
        self._urgent: deque[Write] = deque()
        self._events: deque[Write] = deque()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._events)

    @property
    def urgent(self) -> int:
        """Those that are no events."""
        return len(self._urgent)

    def add(self, write: Write) -> None:
        write.queued_s = time.monotonic()
        (self._events if write.event else self._urgent).append(write)

    def next(self) -> Write | None:
        """A binding, or else an event; but an event that has waited for long, unless enough of them are under way."""
        if not self._events:
            return self._urgent[0] if self._urgent else None
        event = self._events[0]
        if not self._urgent:
            return event if self.flying < self._share(EVENT_MOST_S) else None
        waited_s = time.monotonic() - event.queued_s
        return event if self.flying < self._share(waited_s) else self._urgent[0]

    def take(self, write: Write) -> None:
        """``write``, which :meth:`next` gave, waits no more."""
        (self._events if write.event else self._urgent).popleft()

    def _share(self, waited_s: float) -> int:
        """How many connections events may use: none at first, nearly all when the oldest is about to be late."""
        share = min(1.0, max(0.0, (waited_s - EVENT_WAITS_S) / (EVENT_MOST_S - EVENT_WAITS_S)))
        return int(share * max(1.0, EVENT_SHARE * self._connections))
