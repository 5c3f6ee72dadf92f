"""A line that takes its time, in both directions, and that can be cut without a word."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class SlowLine:
    """Listens and passes on to a port of loopback."""

    to_port: int
    one_way_s: float
    _server: asyncio.Server | None = None
    _ends: set[_End] = field(default_factory=set)

    async def listen(self, address: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Near(self), address, port)

    def cut(self) -> None:
        """From now on nothing passes on what is open, and nobody is told; new connections are as ever."""
        for end in self._ends:
            end.is_cut = True
        self._ends.clear()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for end in self._ends:
            end.is_cut = True
            end.transport.abort()
        self._ends.clear()

    def add(self, end: _End) -> None:
        self._ends.add(end)

    def forget(self, end: _End) -> None:
        self._ends.discard(end)


class _End(asyncio.Protocol):
    """One end; what it hears goes to the other one, later."""

    def __init__(self, line: SlowLine) -> None:
        self.line = line
        self.is_cut = False
        self.other: _End | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.line.add(self)

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self.line.one_way_s, self._pass_on, data)

    def _pass_on(self, data: bytes) -> None:
        if self.other is not None and not self.is_cut and not self.other.transport.is_closing():
            self.other.transport.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self.line.forget(self)
        if self.other is not None and not self.is_cut:
            asyncio.get_running_loop().call_later(self.line.one_way_s, self.other.transport.close)


class _Near(_End):
    """The end that the driver connects to; opens the other one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        _, far = await loop.create_connection(lambda: _End(self.line), "127.0.0.1", self.line.to_port)
        far.other, self.other = self, far
        self.transport.resume_reading()
