"""Sending a plan: open loop, each request with its deadline, on connections of its stream's kind."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from ..kube.connection import Connection, Endpoint, Response
from .plan import CONNECTIONS, KINDS, Plan, Planned, Reuse, Stream, schedule
from .requests import REQUEST, Outcome, Requests
from .sockets import SocketStore

Compose = Callable[[Planned], bytes]
"""The bytes of a planned request."""
OPENING_AT_ONCE = 8
EXPECTED = (OSError, ssl.SSLError, ValueError, TimeoutError)
"""How a request may end when the cluster fails it; anything else is a fault of the probe."""


class Sender:
    """Sends the requests of a plan at their times, whatever became of those before, and keeps what became of each."""

    def __init__(self, plan: Plan, endpoint: Endpoint, sockets: SocketStore, compose: Compose) -> None:
        self.plan = plan
        self.start_ns = 0
        self.last_bad_ns = 0
        self.surprises: list[str] = []
        self._endpoint = endpoint
        self._sockets = sockets
        self._compose = compose
        self._kept: dict[Stream, deque[Connection]] = {stream: deque() for stream in plan.streams}
        self._open: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._rows: list[tuple[int, ...]] = []

    async def warm_up(self) -> None:
        """Open the connections that the reused streams keep. Those that cannot be opened now are left out."""
        slots = asyncio.Semaphore(OPENING_AT_ONCE)

        async def open_one(stream: Stream) -> None:
            with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
                async with slots, asyncio.timeout(5 * self.plan.deadline_s):
                    self._kept[stream].append(await Connection.open(self._endpoint, self._sockets.take()))

        wanted = [stream for stream in self.plan.streams for _ in range(self.plan.connections_kept(stream))]
        await asyncio.gather(*(open_one(stream) for stream in wanted))

    async def send_until_cancelled(self, *, start_ns: int) -> None:
        self.start_ns = start_ns
        for planned in schedule(self.plan, start_ns=start_ns):
            wait_s = (planned.planned_ns - time.monotonic_ns()) / 1e9
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._open[planned.number] = planned.planned_ns
            task = asyncio.create_task(self._send(planned))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until every request that was started has ended; at most one deadline."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def settled_ns(self) -> int:
        """Up to when everything planned has ended."""
        return next(iter(self._open.values()), time.monotonic_ns())

    def requests(self) -> Requests:
        """The records so far, in the order of their numbers."""
        requests = np.array(self._rows, dtype=REQUEST)
        return requests[np.argsort(requests["number"], kind="stable")]

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for kept in self._kept.values():
            while kept:
                kept.pop().abort()

    async def _send(self, planned: Planned) -> None:
        started_ns = time.monotonic_ns()
        attempt = _Attempt()
        try:
            async with asyncio.timeout((planned.planned_ns + self.plan.deadline_ns - started_ns) / 1e9):
                response = await self._attempt(planned, attempt)
        except Exception as error:  # noqa: BLE001 - every request is recorded, or the probe would never settle
            outcome, status, completed_ns = _broken(planned.stream, attempt), 0, time.monotonic_ns()
            if not isinstance(error, EXPECTED):
                self.surprises.append(repr(error))
        else:
            outcome, status, completed_ns = _answered(planned.stream, response), response.status, response.completed_ns
        self._record(planned, attempt, outcome, (started_ns, completed_ns, status))

    async def _attempt(self, planned: Planned, attempt: _Attempt) -> Response:
        connection = self._idle(planned.stream)
        if connection is None:
            attempt.opened = True
            connection = await Connection.open(self._endpoint, self._sockets.take())
        attempt.sent = True
        response = await connection.exchange(self._compose(planned))
        if planned.stream.connection == "new":
            connection.abort()
        elif connection.usable:
            self._kept[planned.stream].append(connection)
        return response

    def _idle(self, stream: Stream) -> Connection | None:
        """The connection that was idle longest, so that all take their turn; those that ended meanwhile are dropped."""
        kept = self._kept[stream]
        while kept:
            connection = kept.popleft()
            if connection.usable:
                return connection
        return None

    def _record(self, planned: Planned, attempt: _Attempt, outcome: Outcome, ended: tuple[int, int, int]) -> None:
        started_ns, completed_ns, status = ended
        connections: tuple[Reuse, ...] = CONNECTIONS
        stream = planned.stream
        self._rows.append(
            (
                *(planned.planned_ns, started_ns, completed_ns, planned.number),
                *(KINDS.index(stream.kind), connections.index(stream.connection), status, outcome, attempt.opened),
            )
        )
        if outcome is not Outcome.OK:
            self.last_bad_ns = max(self.last_bad_ns, planned.planned_ns)
        del self._open[planned.number]


class _Attempt:
    """How far a request got: whether it opened a connection, and whether anything of it was sent."""

    def __init__(self) -> None:
        self.opened = False
        self.sent = False


def _answered(stream: Stream, response: Response) -> Outcome:
    """A server that answers a write with 5xx may have done it: etcd's time-out comes as 500 or 504."""
    if 200 <= response.status < 300:
        return Outcome.OK
    return Outcome.UNKNOWN if stream.kind == "write" and response.status >= 500 else Outcome.FAILED


def _broken(stream: Stream, attempt: _Attempt) -> Outcome:
    return Outcome.UNKNOWN if stream.kind == "write" and attempt.sent else Outcome.FAILED
