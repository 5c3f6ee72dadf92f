"""Sending an open load: each request at its planned time, whatever became of those before.

No task and no future for a request: a deque of idle connections, and a call back when an answer is there. What is due
while every connection waits for an answer is sent as soon as one has its own, and its latency counts from when it was
planned, so that a server that stalls hides nothing.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum
from functools import partial
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ..kube.connection import Response, Settled
from .alarm import Alarm
from .arrivals import Times
from .load import connect_all

SWEEP_S = 0.02
SWEEPS = 50
"""In a deadline: what misses it is ended so much of it later at most. Each sweep wakes the process."""
AT_ONCE = 16
OPEN_LIMIT_S = 10.0
Request = TypeVar("Request")
RequestOf = TypeVar("RequestOf", contravariant=True)


class Place(Protocol[RequestOf]):
    """Room for one request at a time: a connection of HTTP/1.1 (`idcbench.kube.connection`), a stream of HTTP/2."""

    @property
    def usable(self) -> bool: ...

    def begin(self, request: RequestOf, settled: Settled) -> None: ...

    def abort(self) -> None: ...


class Outcome(IntEnum):
    """``REFUSED`` is any answer but 2xx; ``BROKEN`` none, as the connection ended; ``LATE`` none in time."""

    OK = 0
    REFUSED = 1
    BROKEN = 2
    LATE = 3


SENT = np.dtype(
    [
        ("planned_ns", "<i8"),
        ("started_ns", "<i8"),
        ("completed_ns", "<i8"),
        ("number", "<u4"),
        ("status", "<i2"),
        ("call", "u1"),
        ("outcome", "u1"),
    ]
)
"""CLOCK_MONOTONIC times; ``number`` is the place in the whole plan unless that gives others, ``call`` the sort."""
Sent = npt.NDArray[np.void]


class OpenLoop(Generic[Request]):
    """``connections`` places, each made by ``connect``; :meth:`open` before :meth:`run`.

    ``compose`` gives a request by its sort and its number.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Place[Request]]], *,
        connections: int, compose: Callable[[int, int], Request], deadline_s: float,
    ) -> None:  # fmt: skip
        self._connect = connect
        self._wanted = connections
        self._compose = compose
        self._deadline_ns = int(deadline_s * 1e9)
        self._idle: deque[Place[Request]] = deque()
        self._due: deque[int] = deque()
        self._flying: dict[int, Place[Request]] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._sent: Sent = np.empty(0, dtype=SENT)
        self._columns: dict[str, memoryview] = {}
        """Of what was sent: an item of a memoryview costs a tenth of one of a structured array."""
        self._planned_ns: list[int] = []
        self._next = self._left = 0
        self._over = asyncio.Event()
        self._bug: Exception | None = None

    async def open(self) -> None:
        """Open all connections. Raises ``OSError`` or ``ssl.SSLError`` when one cannot be."""
        self._idle.extend(await connect_all(self._connected, self._wanted))

    async def run(self, planned: Times, numbers: npt.NDArray[np.uint32], calls: npt.NDArray[np.uint8], *,
                  start_ns: int) -> Sent:  # fmt: skip
        """Send everything; returns when each has been answered, or has missed its deadline."""
        self._sent = np.zeros(len(planned), dtype=SENT)
        self._sent["planned_ns"], self._sent["number"], self._sent["call"] = planned + start_ns, numbers, calls
        self._left = len(planned)
        if not self._left:
            return self._sent
        self._over.clear()
        sweeping = asyncio.create_task(self._sweep())
        self._columns = {name: memoryview(self._sent[name].data) for name in SENT.names or ()}
        self._planned_ns = self._sent["planned_ns"].tolist()
        self._next = 0
        self._alarm = Alarm(self._guarded)
        try:
            self._alarm.set(self._planned_ns[0])
            await self._over.wait()
        finally:
            sweeping.cancel()
            self._alarm.close()
        if self._bug is not None:
            raise self._bug
        return self._sent

    def close(self) -> None:
        """Close every connection."""
        for task in self._opening:
            task.cancel()
        for connection in [*self._idle, *self._flying.values()]:
            connection.abort()
        self._idle.clear()

    def _guarded(self) -> None:
        """An error of ours ends the run at once: nobody would set the alarm again."""
        try:
            self._send_due()
        except Exception as error:  # noqa: BLE001 - raised by run()
            self._fail(error)

    def _fail(self, bug: Exception) -> None:
        self._bug = bug
        self._over.set()

    def _send_due(self) -> None:
        """A few of those that are due, so that answers are taken in between, also when all of this is late."""
        for _ in range(AT_ONCE):
            if self._next == len(self._planned_ns):
                return
            if (when_ns := self._planned_ns[self._next]) > time.monotonic_ns():
                self._alarm.set(when_ns)
                return
            if (connection := self._usable()) is not None:
                self._start(self._next, connection)
            else:
                self._due.append(self._next)
            self._next += 1
        self._alarm.set(0)

    def _usable(self) -> Place[Request] | None:
        """The connection that was idle longest; those that the server closed meanwhile are replaced."""
        while self._idle:
            connection = self._idle.popleft()
            if connection.usable:
                return connection
            self._replace()
        return None

    def _start(self, at: int, connection: Place[Request]) -> None:
        columns = self._columns
        self._flying[at] = connection
        request = self._compose(columns["call"][at], columns["number"][at])
        columns["started_ns"][at] = time.monotonic_ns()
        connection.begin(request, partial(self._settled, at, connection))

    def _settled(self, at: int, connection: Place[Request], ended: Response | Exception) -> None:
        if self._flying.pop(at, None) is None:
            return  # it missed its deadline before
        if isinstance(ended, Response):
            outcome = Outcome.OK if 200 <= ended.status < 300 else Outcome.REFUSED
            self._end(at, outcome, ended.completed_ns, ended.status)
        else:
            self._end(at, Outcome.BROKEN, time.monotonic_ns())
        if connection.usable:
            self._give(connection)
        else:
            self._replace()

    def _give(self, connection: Place[Request]) -> None:
        if self._due:
            self._start(self._due.popleft(), connection)
        else:
            self._idle.append(connection)

    def _end(self, at: int, outcome: Outcome, completed_ns: int, status: int = 0) -> None:
        columns = self._columns
        columns["completed_ns"][at], columns["status"][at], columns["outcome"][at] = completed_ns, status, outcome
        self._left -= 1
        if not self._left:
            self._over.set()

    def _replace(self) -> None:
        """Open another connection for one that ended; as long as the server takes none it is asked again."""

        async def again() -> None:
            while self._left:
                try:
                    self._give(await self._connected())
                    return
                except (OSError, ssl.SSLError, TimeoutError):
                    await asyncio.sleep(SWEEP_S)
                except Exception as error:  # noqa: BLE001 - raised by run(): a slot would be lost in silence
                    self._fail(error)
                    return

        task = asyncio.create_task(again())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(max(SWEEP_S, self._deadline_ns / 1e9 / SWEEPS))
            try:
                self._end_late()
            except Exception as error:  # noqa: BLE001 - raised by run(), which waits for nothing but what is ended
                self._fail(error)
                return

    def _end_late(self) -> None:
        """End what has missed its deadline, sent or not: planned in order, so the oldest are in front."""
        since_ns = time.monotonic_ns() - self._deadline_ns
        for at in [at for at in self._flying if self._planned_ns[at] < since_ns]:
            connection = self._flying.pop(at)
            self._end(at, Outcome.LATE, time.monotonic_ns())
            connection.abort()
            self._replace()
        while self._due and self._planned_ns[self._due[0]] < since_ns:
            at = self._due.popleft()
            self._columns["started_ns"][at] = time.monotonic_ns()
            self._end(at, Outcome.LATE, time.monotonic_ns())

    async def _connected(self) -> Place[Request]:
        async with asyncio.timeout(OPEN_LIMIT_S):
            return await self._connect()
