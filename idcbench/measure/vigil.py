"""Vigils: seeing from outside, without asking who broke it, when a component goes, falls silent, and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..kube.connection import Connection, Endpoint
from .sockets import SocketStore

Seen = Literal["up", "gone", "silent", "frozen"]
BEAT_S = 0.05
"""Between two questions to a host that answers: the beginning of a host's silence is known to this."""
ANSWER_S = 0.1
"""An answer that takes longer is looked into; it comes in well under 1 ms from a host that is well."""
RETRY_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom to watch. ``url`` is what it serves: asked again and again when it is plain http, held open otherwise."""

    host: str
    component: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """``component`` on ``host`` was seen to change at ``at_ns`` (CLOCK_MONOTONIC).

    ``gone``: its connections ended and new ones are refused; ``silent``: nothing comes back at all, at ``at_ns`` the
    first question without an answer was sent; ``frozen``: connections are taken and questions not answered; ``up``:
    it answers. ``sure_ns`` is when that was certain: from then on a process that is ``gone`` takes no connections,
    while one that is being killed closes its sockets one after the other.
    """

    at_ns: int
    sure_ns: int
    host: str
    component: str
    seen: Seen


Report = Callable[[Sighting], None]


class Vigil:
    """Watches one subject until cancelled and reports what changes, the first ``up`` included."""

    def __init__(self, subject: Subject, endpoint: Endpoint, sockets: SocketStore, report: Report) -> None:
        self._subject = subject
        self._endpoint = endpoint
        self._sockets = sockets
        self._report = report
        self._asks = endpoint.tls is None and subject.url.startswith("http:")
        self._question = endpoint.request("GET", "/idcbench-observer")
        """A path that nobody serves: a 404 costs next to nothing."""
        self._seen: Seen | None = None

    async def watch_until_cancelled(self) -> None:
        while True:
            at_ns = time.monotonic_ns()
            connection, seen = await self._knock()
            if connection is None:
                self._sight(seen, at_ns)
                await asyncio.sleep(RETRY_S)
                continue
            self._sight("up", time.monotonic_ns())
            try:
                last_ns = await (self._ask_until_silent(connection) if self._asks else connection.ended())
            finally:
                connection.abort()
            await self._look_into(last_ns)

    async def _look_into(self, at_ns: int) -> None:
        """The connection ended or fell silent at ``at_ns``: report it unless a new one is served at once."""
        connection, seen = await self._knock()
        if connection is None:
            self._sight(seen, at_ns)
        else:
            connection.abort()

    async def _knock(self) -> tuple[Connection | None, Seen]:
        """Open a connection and, where questions are asked, have one answered."""
        connection = None
        try:
            async with asyncio.timeout(ANSWER_S):
                connection = await Connection.open(self._endpoint, self._sockets.take())
                if self._asks:
                    await connection.exchange(self._question)
        except TimeoutError:
            return None, "frozen" if connection else "silent"
        except ConnectionError:
            return None, "gone"
        except OSError:  # no route, host unreachable: the network says that nothing comes back
            return None, "silent"
        return connection, "up"

    async def _ask_until_silent(self, connection: Connection) -> int:
        """Ask again and again; the time of the question without an answer, or of the connection's end."""
        while True:
            asked_ns = time.monotonic_ns()
            try:
                async with asyncio.timeout(ANSWER_S):
                    await connection.exchange(self._question)
            except TimeoutError:
                return asked_ns
            except (OSError, ValueError):
                return time.monotonic_ns()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    return await connection.ended()

    def _sight(self, seen: Seen, at_ns: int) -> None:
        if seen != self._seen:
            self._seen = seen
            subject = self._subject
            sure_ns = time.monotonic_ns()
            self._report(
                Sighting(at_ns=at_ns, sure_ns=sure_ns, host=subject.host, component=subject.component, seen=seen)
            )
