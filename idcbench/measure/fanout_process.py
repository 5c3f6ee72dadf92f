"""Many watchers in one process: when each event arrived at each of them. Nothing is decoded.

A piece of a stream is stamped as soon as it is decrypted; only then are its lines looked through for the mark that the
measurement writes into the object. Thousands of events a second cost a fraction of a core that way.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

from ..kube.access import Access
from ..kube.connection import RECEIVE_BYTES, WOULD_BLOCK, Endpoint, connected_socket
from ..kube.lines import Lines
from ..kube.listing import Page
from ..kube.objects import Partial
from ..kube.session import ApiSession
from .beat import Beat
from .calls import NUMBER_DIGITS
from .instrument import Commands, serve
from .load import connect_all, fresh_socket
from .overhead import CpuMeter

MARK = b"idcbench-event-"
"""Followed by the event's number, ten digits, anywhere in the object."""
RECEIVED = np.dtype([("watcher", "<u4"), ("number", "<u4"), ("received_ns", "<i8")])
BEAT_NS = 10_000_000
HEAD_S = 30.0
LOOK_S = 0.05
STREAM_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class FanoutSettings:
    """``watchers`` streams on ``path``, numbered from ``first`` on; ``records`` (numpy, .npz) is to be made."""

    access: Access
    path: str
    first: int
    watchers: int
    records: Path


class Fanout:
    """Answers the parent's commands ``open``, ``wait`` and ``end``."""

    def __init__(self, settings: FanoutSettings) -> None:
        self._settings = settings
        self._endpoint = Endpoint.of(settings.access.server, settings.access)
        self._received: list[tuple[int, int, int]] = []
        self._streams: list[Stream] = []
        self._meter = CpuMeter.start()
        self._beat = Beat(BEAT_NS)

    async def answer(self, command: str, arguments: dict[str, Any]) -> Any:
        match command:
            case "open":
                return await self._open()
            case "wait":
                return await self._wait(**arguments)
            case "end":
                return self._end()
        raise ValueError(f"the watchers know no command {command!r}")

    async def _open(self) -> None:
        """Every watcher begins from the version of now, and has its answer's head when this returns."""
        access = self._settings.access
        async with ApiSession(access) as api:
            page = await api.read(Page[Partial], self._settings.path, query={"limit": "1"})
        asked = {"watch": "1", "timeoutSeconds": str(STREAM_S), "resourceVersion": page.metadata.resource_version}
        path = f"{self._settings.path}?{urlencode(asked)}"
        request = self._endpoint.request("GET", path, headers=access.headers())
        sockets = await connect_all(self._connected, self._settings.watchers)
        numbered = enumerate(sockets, self._settings.first)
        self._streams = [Stream(number, connected, self._received) for number, connected in numbered]
        for stream in self._streams:
            stream.begin(request)
        async with asyncio.timeout(HEAD_S):
            await asyncio.gather(*(stream.answered for stream in self._streams))
        self._meter = CpuMeter.start()
        self._beat.start()

    async def _connected(self) -> socket.socket:
        fresh = await fresh_socket(self._endpoint, self._settings.access)
        return await connected_socket(self._endpoint, fresh)

    async def _wait(self, *, at_least: int, within_s: float) -> int:
        """How many events have arrived, of all watchers, as soon as it is ``at_least`` so many or the time is over."""
        until = time.monotonic() + within_s
        while len(self._received) < at_least and time.monotonic() < until:
            await asyncio.sleep(LOOK_S)
        return len(self._received)

    def _end(self) -> dict[str, Any]:
        late = self._beat.late
        overhead = self._meter.overhead(late[:, 1])
        np.savez(self._settings.records, received=np.array(self._received, dtype=RECEIVED), late=late)
        return asdict(overhead) | {"ended": sum(stream.ended for stream in self._streams)}

    def close(self) -> None:
        self._beat.close()
        for stream in self._streams:
            stream.close()


class Stream:
    """One watcher: writes ``(watcher, number, received_ns)`` for each marked event into the list that all share.

    ``answered`` is done with the head of the answer, or holds the ``ConnectionError`` that says why there is no watch.
    """

    def __init__(self, watcher: int, connected: socket.socket, received: list[tuple[int, int, int]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._watcher = watcher
        self._socket = connected
        self._received = received
        self._lines = Lines()
        self.answered: asyncio.Future[None] = self._loop.create_future()
        self.ended = False
        self._loop.add_reader(connected.fileno(), self._receive)

    def begin(self, request: bytes) -> None:
        """Ask for the watch; a request is far smaller than what a fresh socket takes at once."""
        self._socket.send(request)

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _receive(self) -> None:
        while not self.ended:
            try:
                data = self._socket.recv(RECEIVE_BYTES)
            except WOULD_BLOCK:
                return
            except OSError as error:
                self._break(str(error))
                return
            now_ns = time.monotonic_ns()
            if not data:
                self._break("the server ended it")
                return
            self._take(data, now_ns)
            if not isinstance(self._socket, ssl.SSLSocket) or not self._socket.pending():
                return

    def _take(self, data: bytes, now_ns: int) -> None:
        if not self.answered.done():
            if not data.startswith(b"HTTP/1.1 200"):
                self._break(f"the server answered {data[:200]!r}")
                return
            self.answered.set_result(None)
        for line in self._lines.feed(data):
            number = number_in(line)
            if number is not None:
                self._received.append((self._watcher, number, now_ns))

    def _break(self, why: str) -> None:
        if not self.answered.done():
            self.answered.set_exception(ConnectionError(f"watcher {self._watcher}: {why}"))
        self.close()


def number_in(line: bytes) -> int | None:
    """The number behind the mark, of a line that has one."""
    at = line.find(MARK)
    if at < 0:
        return None
    digits = line[at + len(MARK) : at + len(MARK) + NUMBER_DIGITS]
    return int(digits) if len(digits) == NUMBER_DIGITS and digits.isdigit() else None


async def run(settings: FanoutSettings, commands: Commands) -> None:
    process = Fanout(settings)
    try:
        await commands.answer_with(process.answer)
    finally:
        process.close()


if __name__ == "__main__":
    serve(run)
