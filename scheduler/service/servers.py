"""One API server as the writer sees it: its connections, and whether it is worth trying."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import time
from dataclasses import dataclass, field

from idcbench.kube.access import Access
from idcbench.kube.backoff import Backoff
from idcbench.kube.connection import Connection, Endpoint

USER_AGENT = "idcbench-scheduler"
OPENING_AT_ONCE = 4
UNREADY_MOST_S = 30.0
"""A server that came back but calls itself not ready is left alone for so long; then it is used all the same."""
TOKEN_READ_S = 60.0
"""A token file is read anew so often; the kubelet refreshes them minutes before they expire."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Server:
    """``idle`` are open connections that nobody uses."""

    url: str
    access: Access
    most: int
    limit_s: float
    idle: list[Connection] = field(default_factory=list)
    connections: int = 0
    _endpoint: Endpoint | None = None
    _heads: dict[tuple[str, str], tuple[bytes, bytes]] = field(default_factory=dict)
    _authorization: dict[str, str] | None = None
    _read_s: float = 0.0
    _opening: int = 0
    _backoff: Backoff = field(default_factory=lambda: Backoff(first_s=0.1, most_s=2.0))
    _retry_s: float = 0.0
    _away_s: float | None = None
    """Since when it is not known to be whole: a connection to it broke, or none could be opened."""
    _unready_s: float | None = None
    """Since when it can be reached again, and says that it is not ready."""

    @property
    def may_open(self) -> bool:
        """Whether another connection is allowed, and the server not known to be away."""
        return self.connections < self.most and self._opening < OPENING_AT_ONCE and time.monotonic() >= self._retry_s

    def reserve(self) -> None:
        """Count one more connection, which :meth:`open` has to be called for."""
        self._opening += 1
        self.connections += 1

    async def open(self) -> Connection:
        """Open the connection that was reserved. Raises ``OSError`` or ``TimeoutError``; nothing is reserved then.

        A server that was away has to call itself ready: one that starts serves before it knows the roles, and would
        refuse everybody.
        """
        try:
            async with asyncio.timeout(self.limit_s):
                self._renew_authorization()
                if self._endpoint is None:
                    self._endpoint = await asyncio.to_thread(Endpoint.of, self.url, self.access)
                connection = await Connection.open(self._endpoint, self._socket(self._endpoint))
                if self._away_s is not None:
                    await self._ask_whether_ready(connection, self._endpoint)
        except BaseException:
            self.connections -= 1
            raise
        finally:
            self._opening -= 1
        self._backoff.reset()
        return connection

    def failed(self) -> float:
        """A connection could not be opened; in how many seconds to try again."""
        self._away_s = time.monotonic()
        delay_s = self._backoff.next_s()
        self._retry_s = time.monotonic() + delay_s
        return delay_s

    def lost(self) -> None:
        """One of the connections is no more."""
        self.connections -= 1
        self._away_s = time.monotonic()

    def close(self) -> None:
        for connection in self.idle:
            connection.abort()
        self.idle.clear()

    def request(self, method: str, path: str, body: bytes, content_type: str) -> bytes:
        """The bytes of a request; the server is told the time limit too."""
        before, after = self._head(method, content_type)
        query = b"&" if "?" in path else b"?"
        return b"%b%b%btimeout=%b%d\r\n\r\n%b" % (before, path.encode(), query, after, len(body), body)

    def unauthorized(self) -> None:
        """The server did not know us: a token was renewed, maybe."""
        self._read_s = 0.0

    async def _ask_whether_ready(self, connection: Connection, endpoint: Endpoint) -> None:
        """Raises ``OSError`` when it says that it is not; servers that have no such answer count as ready."""
        asked_s = time.monotonic()
        try:
            answer = await connection.exchange(endpoint.request("GET", "/readyz", headers=self._authorization))
            if answer.status in (401, 403) or answer.status >= 500:
                self._unready_s = self._unready_s or asked_s
                if asked_s - self._unready_s < UNREADY_MOST_S:
                    raise ConnectionError(f"it is not ready: {answer.status}")
        except ValueError as error:
            raise ConnectionError(f"/readyz: {error}") from None
        except BaseException:
            connection.abort()
            raise
        self._unready_s = None
        if self._away_s is not None and self._away_s < asked_s:
            self._away_s = None

    def _renew_authorization(self) -> None:
        """Read the token if it may have been renewed. Raises ``OSError`` when there never was one."""
        now_s = time.monotonic()
        if self._authorization is not None and now_s - self._read_s < TOKEN_READ_S:
            return
        self._read_s = now_s
        try:
            fresh = self.access.headers()
        except OSError as error:
            if self._authorization is None:
                raise
            _log.warning("the token cannot be read anew (%s); going on with the last", error)
            return
        if fresh != self._authorization:
            self._authorization = fresh
            self._heads.clear()

    def _head(self, method: str, content_type: str) -> tuple[bytes, bytes]:
        self._renew_authorization()
        key = method, content_type
        if (head := self._heads.get(key)) is None:
            head = self._heads[key] = self._encode_head(method, content_type)
        return head

    def _encode_head(self, method: str, content_type: str) -> tuple[bytes, bytes]:
        assert self._endpoint is not None
        lines = [
            f"{self.limit_s:g}s HTTP/1.1",
            f"Host: {self._endpoint.host}:{self._endpoint.address[1]}",
            f"User-Agent: {USER_AGENT}",
            "Accept: application/json",
            *(f"{name}: {value}" for name, value in (self._authorization or {}).items()),
            f"Content-Type: {content_type}",
            "Content-Length: ",
        ]
        return f"{method} ".encode(), "\r\n".join(lines).encode()

    def _socket(self, endpoint: Endpoint) -> socket.socket:
        """A socket that never delivers bytes later than the limit, nor after it was closed (see fence)."""
        factory = self.access.socket_factory()
        fresh = endpoint.new_socket() if factory is None else factory(None)
        fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.limit_s * 1000))
        fresh.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return fresh


def servers_of(access: Access, *, connections: int, limit_s: float) -> list[Server]:
    """Every API server that can be reached on its own, or the endpoint, with an equal share of the connections."""
    urls = access.members or (access.server,)
    return [Server(url, access, most=max(1, -(-connections // len(urls))), limit_s=limit_s) for url in urls]
