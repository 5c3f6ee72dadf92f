"""The lean writer: many small writes at once over a few kept connections to all API servers, each sent exactly once.

Bindings go first; events fill what they leave free, but none waits longer than it has to.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from idcbench.kube.access import Access
from idcbench.kube.apierror import retry_after_s
from idcbench.kube.connection import Connection, Response

from .fence import Fence
from .measures import Measures
from .servers import Server, servers_of
from .settings import WriteSettings
from .turns import Turns
from .write import Answer, Method, Write

SWEEP_S = 0.05
REFUSED_TRIES = 8
"""A write that is answered 429 was not done, and is sent again so often."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Flight:
    write: Write
    server: Server
    connection: Connection
    ends_s: float


class Writer:
    """Used as ``async with``; :meth:`submit` queues a write, :meth:`drain` waits until none is left.

    ``crashed`` is called with what an owner of a write raised when it was told the answer.
    """

    def __init__(
        self, access: Access, settings: WriteSettings, fence: Fence, measures: Measures, *,
        crashed: Callable[[Exception], object] | None = None,
    ) -> None:  # fmt: skip
        self._crashed = crashed
        self._settings = settings
        self._fence = fence
        self._measures = measures
        self._servers: list[Server] = servers_of(
            access, connections=settings.connections, limit_s=settings.request_limit_s
        )
        self._turns = Turns(settings.connections)
        self._flights: dict[Connection, _Flight] = {}
        self._later = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._sweeping: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Writer:
        self._loop = asyncio.get_running_loop()
        self._sweeping = asyncio.create_task(self._sweep())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        for task in (self._sweeping, *self._opening):
            if task is not None:
                task.cancel()
        for server in self._servers:
            server.close()
        for connection in list(self._flights):
            connection.abort()

    @property
    def waiting(self) -> int:
        """Writes that are no events and have not been answered."""
        return self._turns.urgent + len(self._flights) - self._turns.flying + self._later

    def submit(self, write: Write) -> None:
        """Send ``write`` as soon as its turn comes."""
        self._turns.add(write)
        self._loop.call_soon(self._pump)

    async def write(
        self, method: Method, path: str, body: bytes, *,
        content_type: str = "application/json",
    ) -> Answer:  # fmt: skip
        """:meth:`submit`, waiting for the answer."""
        answer: asyncio.Future[Answer] = self._loop.create_future()

        def settle(ended: Answer) -> None:
            if not answer.done():
                answer.set_result(ended)

        self.submit(Write(method, path, body, settle, content_type))
        return await answer

    async def drain(self, *, events: bool, limit_s: float) -> bool:
        """Wait until nothing is left to be sent or answered, events included if so told; false at the limit."""
        try:
            async with asyncio.timeout(limit_s):
                while self.waiting or (events and (len(self._turns) or self._turns.flying)):
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def _pump(self) -> None:
        """Send what can be sent now."""
        while not self._closed and (write := self._turns.next()) is not None:
            fenced = not write.event and not self._fence.permits(self._settings.request_limit_s)
            if fenced or write.cancelled:
                self._turns.take(write)
                self._loop.call_soon(self._tell, write, Answer(0, sent=False, fenced=fenced))
                continue
            found = self._free()
            if found is None:
                self._open_more()
                return
            self._turns.take(write)
            self._send(write, *found)

    def _free(self) -> tuple[Server, Connection] | None:
        """A connection nobody uses, of the server that has most of them: so all are used alike."""
        best: Server | None = None
        for server in self._servers:
            if server.idle and (best is None or len(server.idle) > len(best.idle)):
                best = server
        if best is None:
            return None
        connection = best.idle.pop()
        if not connection.usable:
            best.lost()
            return self._free()
        return best, connection

    def _send(self, write: Write, server: Server, connection: Connection) -> None:
        now_s = time.monotonic()
        write.sent_s = now_s
        self._flights[connection] = _Flight(write, server, connection, now_s + self._settings.request_limit_s)
        self._turns.flying += write.event
        request = server.request(write.method, write.path, write.body, write.content_type)

        def settle(ended: Response | Exception) -> None:
            self._landed(connection, ended)

        connection.begin(request, settle)

    def _landed(self, connection: Connection, ended: Response | Exception) -> None:
        flight = self._flights.pop(connection)
        write, server = flight.write, flight.server
        self._turns.flying -= write.event
        if connection.usable:
            server.idle.append(connection)
        else:
            server.lost()
        answer = Answer(ended.status, ended.body) if isinstance(ended, Response) else Answer(0)
        self._measures.request(write.method, status=answer.status, duration_s=time.monotonic() - write.sent_s)
        if isinstance(ended, Response) and ended.status == 429 and write.tries < REFUSED_TRIES:
            self._send_later(write, retry_after_s(ended.retry_after))
        else:
            if answer.status == 401:
                server.unauthorized()
            self._tell(write, answer)
        self._pump()
        if not self._flights and not self._turns.urgent:
            self._idle.set()

    def _tell(self, write: Write, answer: Answer) -> None:
        """A fault of who is told must not end as a line of asyncio's log, with its books half done."""
        try:
            write.settled(answer)
        except Exception as error:
            if self._crashed is None:
                raise
            self._crashed(error)

    def _send_later(self, write: Write, asked_s: float | None) -> None:
        """The server is busy and did not do it; it says when to come again."""
        write.tries += 1
        delay_s = min(asked_s if asked_s is not None else 0.1 * 2**write.tries, 30.0)
        self._later += not write.event

        def again() -> None:
            self._later -= not write.event
            self.submit(write)

        self._loop.call_later(delay_s, again)

    def _open_more(self) -> None:
        """Open a connection for each write that waits, as far as the settings allow."""
        wanted = len(self._turns) - len(self._opening)
        for server in sorted(self._servers, key=lambda each: each.connections):
            while wanted > 0 and server.may_open:
                wanted -= 1
                server.reserve()
                task = asyncio.create_task(self._open(server))
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)

    async def _open(self, server: Server) -> None:
        try:
            server.idle.append(await server.open())
        except (OSError, ssl.SSLError, TimeoutError) as error:
            _log.warning("%s: no connection (%s); trying again in %.1f s", server.url, error, server.failed())
        self._loop.call_soon(self._pump)

    async def _sweep(self) -> None:
        """Cut off what lasts too long, and go on where a server came back."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = time.monotonic()
            for flight in list(self._flights.values()):  # in the order of sending, and all have the same limit
                if flight.ends_s > now_s:
                    break
                flight.connection.abort()
            if self._turns:
                self._pump()
            if not self._flights and not self._turns.urgent:
                self._idle.set()
