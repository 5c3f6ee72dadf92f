"""A server whose delays, stalls and losses are known, to try instruments on; a process of its own.

    python -m idcbench.measure.synthetic      as an Instrument: see :class:`SyntheticServer`

It answers every request with 200 and a small object after the delay that it was told. While it stalls it answers
nothing and takes everything in, as a server does that collects garbage or waits for its disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import random
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .alarm import Alarm
from .calls import Http
from .instrument import Commands, Instrument, serve
from .synthetic_http2 import Http2Reader, answer

START_S = 10.0
BODY = b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","resourceVersion":"1"}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """``delay_ms`` from the whole request to its answer; every request is lost with probability ``loss``: its
    connection is closed; all answers are held from ``stall_at_s`` for ``stall_ms``, counted from the first request."""

    delay_ms: float = 0.0
    stall_at_s: float = 0.0
    stall_ms: float = 0.0
    loss: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSettings:
    """``certificate`` and ``key`` are files of PEM; without them there is no TLS. ``http`` is all that it speaks."""

    behaviour: Behaviour
    certificate: Path | None = None
    key: Path | None = None
    http: Http = "1.1"


class SyntheticServer:
    """The server, seen from whoever uses it."""

    def __init__(self, settings: SyntheticSettings) -> None:
        self._instrument = Instrument("idcbench.measure.synthetic", settings)
        port = self._instrument.ask("listen", answer_within_s=START_S)
        self.url = f"http{'s' if settings.certificate else ''}://127.0.0.1:{port}"

    def lost(self) -> int:
        """How many requests it has lost on purpose."""
        count: int = self._instrument.ask("lost", answer_within_s=START_S)
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._instrument.close()


class _Server:
    def __init__(self, settings: SyntheticSettings) -> None:
        self.lost = 0
        self._is = settings.behaviour
        self._random = random.Random(settings.behaviour.seed)
        self._first_ns = 0
        self._waiting: list[tuple[int, int, _Peer, bytes]] = []
        self._turn = 0
        self._alarm = Alarm(self._send_due)
        self._tls: ssl.SSLContext | None = None
        if settings.certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(settings.certificate, settings.key)
            self._tls.set_alpn_protocols(["h2" if settings.http == "2" else "http/1.1"])
        self._http = settings.http
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listening.setblocking(False)
        self.port = self._listening.getsockname()[1]

    async def accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listening)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            _Peer(connection, self, Http2Reader() if self._http == "2" else None)

    def asked(self, peer: _Peer, response: bytes) -> None:
        now_ns = time.monotonic_ns()
        self._first_ns = self._first_ns or now_ns
        if self._is.loss and self._random.random() < self._is.loss:
            self.lost += 1
            peer.close()
            return
        due_ns = self._after_the_stall(now_ns + round(self._is.delay_ms * 1e6))
        if due_ns == now_ns:
            peer.send(response)
            return
        self._turn += 1
        heapq.heappush(self._waiting, (due_ns, self._turn, peer, response))
        self._alarm.set(self._waiting[0][0])

    def _send_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic_ns():
            _, _, peer, response = heapq.heappop(self._waiting)
            peer.send(response)
        if self._waiting:
            self._alarm.set(self._waiting[0][0])

    def _after_the_stall(self, at_ns: int) -> int:
        """The end of the stall in which ``at_ns`` lies, else ``at_ns``."""
        begin_ns = self._first_ns + round(self._is.stall_at_s * 1e9)
        end_ns = begin_ns + round(self._is.stall_ms * 1e6)
        return end_ns if begin_ns <= at_ns < end_ns else at_ns


class _Peer:
    """One connection: requests in, answers out; TLS on the socket itself, as the client does it."""

    def __init__(self, connection: socket.socket, server: _Server, http2: Http2Reader | None) -> None:
        self._socket = connection
        self._http2 = http2
        self._server = server
        self._data = b""
        self._shaken = not isinstance(connection, ssl.SSLSocket)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection.fileno(), self._readable)

    def send(self, answer: bytes) -> None:
        if self._socket.fileno() < 0:
            return
        try:
            self._socket.send(answer)  # some hundred bytes: always taken whole, or the peer is gone
        except OSError:
            self.close()

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _readable(self) -> None:
        try:
            if not self._shaken and isinstance(self._socket, ssl.SSLSocket):
                self._socket.do_handshake()
                self._shaken = True
                return
            while piece := self._socket.recv(65536):
                self._take(piece)
                if self._socket.fileno() < 0 or not isinstance(self._socket, ssl.SSLSocket):
                    return
                if not self._socket.pending():
                    return
            self.close()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            self.close()

    def _take(self, piece: bytes) -> None:
        if self._http2 is not None:
            self._take_frames(self._http2, piece)
            return
        self._data += piece
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            whole = end + 4 + _body_length(self._data[:end])
            if len(self._data) < whole:
                return
            self._data = self._data[whole:]
            self._server.asked(self, ANSWER)

    def _take_frames(self, http2: Http2Reader, piece: bytes) -> None:
        try:
            taken = http2.feed(piece)
        except ValueError:
            self.close()
            return
        if taken.reply:
            self.send(taken.reply)
        for stream in taken.asked:
            self._server.asked(self, answer(stream, BODY))


def _body_length(head: bytes) -> int:
    at = head.lower().find(_LENGTH)
    return int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def run(settings: SyntheticSettings, commands: Commands) -> None:
    server = _Server(settings)
    accepting = asyncio.create_task(server.accept())

    async def answer(command: str, _: dict[str, Any]) -> int:
        match command:
            case "listen":
                return int(server.port)
            case "lost":
                return server.lost
        raise ValueError(f"the server knows no command {command!r}")

    await commands.answer_with(answer)
    accepting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await accepting


if __name__ == "__main__":
    serve(run)
