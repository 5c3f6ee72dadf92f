"""The lean HTTP/1.1 client: connections that the caller opens, uses and closes one by one, nothing hidden.

aiohttp repeats idempotent requests on a fresh connection when a kept one breaks, and chooses connections itself. An
instrument must know which connection a request used, whether it was sent, and that it was sent once.

TLS is spoken on the socket itself: asyncio's own TLS transport copies every byte through two buffers and costs more
than half of such a small request (80 µs where this takes 40).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from .access import Access
from .http1 import ResponseParser, whole_response

RECEIVE_BYTES = 1 << 16
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; ``completed_ns`` is CLOCK_MONOTONIC when its last byte was there, before anything was decoded.

    ``retry_after`` is that header, if there was one.
    """

    status: int
    body: bytes
    completed_ns: int
    retry_after: str | None = None


Settled = Callable[[Response | Exception], None]
"""What is told how an exchange ended."""


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

    def request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"",
        content_type: str = "application/json",
    ) -> bytes:  # fmt: skip
        """The bytes of a request for a JSON API; ``content_type`` is that of ``body``."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.address[1]}", "Accept: application/json"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One connection, one request at a time. Made by :meth:`open`; ended by :meth:`abort`, never silently replaced."""

    def __init__(self, connected: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = connected
        self._fd = connected.fileno()
        self._unsent = b""
        self._writing = False
        self._settled: Settled | None = None
        self._on_body: Callable[[bytes], object] | None = None
        self._parser: ResponseParser | None = None
        self._pieces: list[bytes] = []
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._loop.add_reader(self._fd, self._receive)

    @classmethod
    async def open(cls, endpoint: Endpoint, unconnected: socket.socket) -> Connection:
        """Connect ``unconnected``, which becomes the connection's. Raises ``OSError`` or ``ssl.SSLError``."""
        return cls(await connected_socket(endpoint, unconnected))

    @property
    def usable(self) -> bool:
        """Whether another request can be sent: open, and the last answer was whole and did not end it."""
        return self._socket is not None and self._settled is None

    async def exchange(self, request: bytes, *, on_body: Callable[[bytes], object] | None = None) -> Response:
        """Send ``request`` and read its answer; with ``on_body`` the body goes there as it comes.

        Raises ``ConnectionError`` when the connection ends before the answer does, ``ValueError`` when the answer is
        not HTTP. After any exception, cancellation included, the connection is of no more use.
        """
        answer: asyncio.Future[Response] = self._loop.create_future()

        def settle(ended: Response | Exception) -> None:
            if answer.done():
                return
            if isinstance(ended, Response):
                answer.set_result(ended)
            else:
                answer.set_exception(ended)

        self.begin(request, settle, on_body=on_body)
        try:
            return await answer
        except BaseException:
            self.abort()
            raise

    def begin(self, request: bytes, settled: Settled, *, on_body: Callable[[bytes], object] | None = None) -> None:
        """:meth:`exchange` without waiting: ``settled`` is called once, with the answer or with what ended it.

        Never called from within this method. The connection is free for the next request when it is called with an
        answer and :attr:`usable` holds. Raises ``ConnectionError`` when it was closed or busy; nothing was sent then.
        """
        if not self.usable:
            raise ConnectionError("the connection is closed or busy")
        self._settled, self._on_body, self._parser = settled, on_body, None
        self._unsent += request
        self._send()

    async def ended(self) -> int:
        """Wait until the connection has ended, on either side; when that was (CLOCK_MONOTONIC, ns)."""
        return await asyncio.shield(self._ended)

    def abort(self) -> None:
        """Close at once, without waiting for the other side."""
        self._close(None)

    def _send(self) -> None:
        if self._socket is None:
            return
        try:
            sent = self._socket.send(self._unsent)
        except WOULD_BLOCK:
            sent = 0
        except OSError as error:
            self._loop.call_soon(self._close, error)
            return
        self._unsent = self._unsent[sent:]
        if self._unsent and not self._writing:
            self._loop.add_writer(self._fd, self._send)
        elif self._writing and not self._unsent:
            self._loop.remove_writer(self._fd)
        self._writing = bool(self._unsent)

    def _receive(self) -> None:
        while (open_socket := self._socket) is not None:
            try:
                data = open_socket.recv(RECEIVE_BYTES)
            except WOULD_BLOCK:
                return
            except OSError as error:
                self._close(error)
                return
            if not data:
                self._close(None)
                return
            if self._take(data, time.monotonic_ns()) and self._on_body is None:
                continue  # the rest is mostly there already: asking for it costs less than a turn of the loop
            if self._socket is None or not isinstance(open_socket, ssl.SSLSocket) or not open_socket.pending():
                return  # what else is there, the selector tells

    def _take(self, data: bytes, now_ns: int) -> bool:
        """Take what has arrived; says whether more of this answer is to come."""
        if self._settled is None:
            self._close(None)  # nobody asked: whatever this is, the next answer could not be told from it
            return False
        if self._parser is None:
            if (whole := whole_response(data)) is not None:
                status, body = whole
                if self._on_body is not None:
                    self._on_body(body)
                    body = b""
                self._settle(Response(status, body, now_ns))
                return False
            self._pieces = []
            self._parser = ResponseParser(self._on_body or self._pieces.append)
        try:
            self._parser.feed(data)
        except ValueError as error:
            self._close(error)
            return False
        if not self._parser.complete:
            return True
        self._complete(self._parser, now_ns)
        return False

    def _complete(self, parser: ResponseParser, now_ns: int) -> None:
        response = Response(parser.status, b"".join(self._pieces), now_ns, parser.headers.get("retry-after"))
        if parser.keeps_open:
            self._settle(response)
        else:
            settled, self._settled = self._settled, None
            self._close(None)
            if settled is not None:
                settled(response)

    def _settle(self, ended: Response | Exception) -> None:
        settled, self._settled, self._parser = self._settled, None, None
        if settled is not None:
            settled(ended)

    def _close(self, error: Exception | None) -> None:
        if self._socket is None:
            return
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        with contextlib.suppress(OSError):
            self._socket.close()
        self._socket = None
        now_ns = time.monotonic_ns()
        self._ended.set_result(now_ns)
        parser = self._parser
        if parser is not None and parser.end() and error is None:
            self._settle(Response(parser.status, b"".join(self._pieces), now_ns, parser.headers.get("retry-after")))
        elif isinstance(error, ValueError) and not isinstance(error, OSError):
            self._settle(error)
        else:
            self._settle(ConnectionResetError(f"the connection ended before the answer did: {error}"))


async def connected_socket(endpoint: Endpoint, unconnected: socket.socket) -> socket.socket:
    """Connect ``unconnected``, and shake hands where the endpoint has TLS; it is closed when that fails.

    Raises ``OSError`` or ``ssl.SSLError``.
    """
    connected = unconnected
    try:
        await asyncio.get_running_loop().sock_connect(unconnected, endpoint.address)
        unconnected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        unconnected.getpeername()  # raises when it was reset already: wrap_socket would do so too, and leak it
        if endpoint.tls is not None:
            wrap = endpoint.tls.wrap_socket
            connected = secured = wrap(unconnected, server_hostname=endpoint.host, do_handshake_on_connect=False)
            await _shake_hands(secured)
        return connected
    except BaseException:
        connected.close()
        raise


async def _shake_hands(secured: ssl.SSLSocket) -> None:
    loop = asyncio.get_running_loop()
    fd = secured.fileno()
    while True:
        ready: asyncio.Future[None] = loop.create_future()
        try:
            secured.do_handshake()
            return
        except ssl.SSLWantReadError:
            loop.add_reader(fd, _mark, ready)
        except ssl.SSLWantWriteError:
            loop.add_writer(fd, _mark, ready)
        try:
            await ready
        finally:
            loop.remove_reader(fd)
            loop.remove_writer(fd)


def _mark(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
