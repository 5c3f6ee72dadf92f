"""A watch on what a probe writes: when each write arrives at a watcher, what never does, and what comes twice."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from ..kube.connection import Connection, Endpoint
from .sockets import SocketStore

GONE = 410
"""The version to go on from is too old."""
PAUSE_S = 0.05
"""Before a new try, after one that failed or did not last so long."""


class _Metadata(msgspec.Struct):
    name: str = ""
    resourceVersion: str = ""  # noqa: N815 - Kubernetes' name


class _Object(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    code: int = 0


class _Event(msgspec.Struct):
    """An event of a watch; a refusal to watch is a Status, which has no type."""

    type: str = ""
    object: _Object = msgspec.field(default_factory=_Object)


_EVENT = msgspec.json.Decoder(_Event)


@dataclass
class Arrivals:
    """``first_ns`` is when each name arrived first, ``times`` how often it came.

    ``connections`` counts those that the watch needed, ``relists`` how often it could not go on where it had been and
    began anew, so that events in between are lost.
    """

    first_ns: dict[str, int] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    relists: int = 0


class Watcher:
    """Watches the ConfigMaps of a namespace through ``endpoint`` and resumes whenever its connection ends.

    A connection that says nothing for ``idle_s`` is given up: while a probe writes, silence means that it is dead.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        sockets: SocketStore,
        *,
        path: str,
        headers: dict[str, str],
        idle_s: float,
        latest_version: Callable[[], Awaitable[str]],
    ) -> None:
        self.arrivals = Arrivals()
        self._endpoint = endpoint
        self._sockets = sockets
        self._path = path
        self._headers = headers
        self._idle_s = idle_s
        self._latest_version = latest_version
        self._version = ""
        self._heard_ns = 0
        self._half_line = b""

    async def begin(self) -> None:
        """Find the version from which to watch; raises what ``latest_version`` raises."""
        self._version = await self._latest_version()

    async def watch_until_cancelled(self) -> None:
        while True:
            began_ns = time.monotonic_ns()
            with contextlib.suppress(OSError, ssl.SSLError, ValueError, TimeoutError, msgspec.DecodeError):
                if not self._version:
                    self.arrivals.relists += 1
                    await self.begin()
                await self._watch_once()
            if time.monotonic_ns() - began_ns < PAUSE_S * 1e9:
                await asyncio.sleep(PAUSE_S)

    async def _watch_once(self) -> None:
        async with asyncio.timeout(self._idle_s):
            connection = await Connection.open(self._endpoint, self._sockets.take())
        self.arrivals.connections += 1
        self._half_line = b""
        self._heard_ns = time.monotonic_ns()
        request = self._request(f"watch=1&allowWatchBookmarks=true&resourceVersion={self._version}")
        reading = asyncio.ensure_future(connection.exchange(request, on_body=self._heard))
        try:
            while not reading.done() and time.monotonic_ns() - self._heard_ns < self._idle_s * 1e9:
                await asyncio.wait([reading], timeout=self._idle_s / 4)
            if reading.done() and reading.result().status == GONE:
                self._version = ""
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            connection.abort()

    def _request(self, query: str) -> bytes:
        return self._endpoint.request("GET", f"{self._path}?{query}", headers=self._headers)

    def _heard(self, piece: bytes) -> None:
        self._heard_ns = time.monotonic_ns()
        *lines, self._half_line = (self._half_line + piece).split(b"\n")
        for line in filter(None, lines):
            self._event(_EVENT.decode(line))

    def _event(self, event: _Event) -> None:
        if event.type in ("ERROR", ""):
            self._version = "" if event.object.code == GONE else self._version
            return
        metadata = event.object.metadata
        self._version = metadata.resourceVersion
        if event.type == "ADDED":
            self.arrivals.first_ns.setdefault(metadata.name, self._heard_ns)
            self.arrivals.times[metadata.name] = self.arrivals.times.get(metadata.name, 0) + 1
