"""The lean HTTP/1.1 client: connections that the caller opens, uses and closes one by one, nothing hidden.

aiohttp repeats idempotent requests on a fresh connection when a kept one breaks, and chooses connections itself. An
instrument must know which connection a request used, whether it was sent, and that it was sent once.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from .access import Access
from .http1 import ResponseParser


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; ``completed_ns`` is CLOCK_MONOTONIC when its last byte was there, before anything was decoded."""

    status: int
    body: bytes
    completed_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to connect: the address is looked up once, so that no request waits for a name server."""

    host: str
    address: tuple[str, int]
    family: socket.AddressFamily
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str, access: Access) -> Endpoint:
        """The endpoint of ``url`` with the credentials of ``access``. Raises ``OSError`` for a name nobody knows."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        tls = access.ssl_context() if parts.scheme == "https" else None
        return cls(host=host, address=(str(address[0]), int(address[1])), family=family, tls=tls)

    def new_socket(self) -> socket.socket:
        """An unconnected socket of the ordinary network."""
        fresh = socket.socket(self.family, socket.SOCK_STREAM)
        fresh.setblocking(False)
        return fresh

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
        """The bytes of a request for a JSON API."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.address[1]}", "Accept: application/json"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body


class Connection(asyncio.Protocol):
    """One connection, one request at a time. Made by :meth:`open`; ended by :meth:`abort`, never silently replaced."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser: ResponseParser | None = None
        self._answer: asyncio.Future[int] | None = None
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, endpoint: Endpoint, unconnected: socket.socket) -> Connection:
        """Connect ``unconnected``, which becomes the connection's. Raises ``OSError`` or ``ssl.SSLError``."""
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(unconnected, endpoint.address)
            _, connection = await loop.create_connection(
                cls, sock=unconnected, ssl=endpoint.tls, server_hostname=endpoint.host if endpoint.tls else None
            )
        except BaseException:
            unconnected.close()
            raise
        return connection

    @property
    def usable(self) -> bool:
        """Whether another request can be sent: open, and the last answer was whole and did not end it."""
        return self._transport is not None and not self._transport.is_closing() and self._answer is None

    async def exchange(self, request: bytes, *, on_body: Callable[[bytes], object] | None = None) -> Response:
        """Send ``request`` and read its answer; with ``on_body`` the body goes there as it comes.

        Raises ``ConnectionError`` when the connection ends before the answer does, ``ValueError`` when the answer is
        not HTTP. After any exception, cancellation included, the connection is of no more use.
        """
        if not self.usable or self._transport is None:
            raise ConnectionError("the connection is closed or busy")
        pieces: list[bytes] = []
        self._parser = ResponseParser(on_body or pieces.append)
        self._answer = asyncio.get_running_loop().create_future()
        try:
            self._transport.write(request)
            completed_ns = await self._answer
        except BaseException:
            self.abort()
            raise
        self._answer = None
        if not self._parser.keeps_open:
            self.abort()
        return Response(self._parser.status, b"".join(pieces), completed_ns)

    async def ended(self) -> int:
        """Wait until the connection has ended, on either side; when that was (CLOCK_MONOTONIC, ns)."""
        return await asyncio.shield(self._ended)

    def abort(self) -> None:
        """Close at once, without waiting for the other side."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        if self._parser is None or self._answer is None or self._answer.done():
            self.abort()  # nobody asked: whatever this is, the next answer could not be told from it
            return
        try:
            self._parser.feed(data)
        except ValueError as error:
            self._answer.set_exception(error)
            return
        if self._parser.complete:
            self._answer.set_result(now_ns)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._ended.set_result(time.monotonic_ns())
        if self._answer is None or self._answer.done():
            return
        if self._parser is not None and self._parser.end():
            self._answer.set_result(time.monotonic_ns())
        else:
            self._answer.set_exception(ConnectionResetError(f"the connection ended before the answer did: {exc}"))
