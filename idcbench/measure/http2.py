"""HTTP/2 for the open load: many requests at once on one connection, each a stream of its own.

The protocol is spoken by `h2`; TLS on the socket itself, as the lean HTTP/1.1 client does it. No priorities, no push.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from ..kube.access import Access
from ..kube.connection import RECEIVE_BYTES, WOULD_BLOCK, Endpoint, Response, Settled, connected_socket
from .calls import NUMBER, NUMBER_DIGITS, Call
from .load import fresh_socket

STREAMS = 32
"""Requests at once on one connection; a third of what kube-apiserver allows (SETTINGS_MAX_CONCURRENT_STREAMS, 100)."""
WINDOW_BYTES = 1 << 24
SETTINGS_S = 5.0
MOST_STREAM_ID = (1 << 31) - 1
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Http2Request:
    headers: Headers
    body: bytes


class Http2Composer:
    """Gives request ``number`` as the ``call``-th sort."""

    def __init__(self, calls: Sequence[Call], endpoint: Endpoint, headers: Mapping[str, str]) -> None:
        self._calls = [self._request(call, endpoint, headers) for call in calls]

    def __call__(self, call: int, number: int) -> Http2Request:
        request = self._calls[call]
        said = b"%0*d" % (NUMBER_DIGITS, number)
        path = (b":path", request.headers[0][1].replace(NUMBER.encode(), said))
        return Http2Request([*request.headers[1:4], path, *request.headers[4:]],
                            request.body.replace(NUMBER.encode(), said))  # fmt: skip

    @staticmethod
    def _request(call: Call, endpoint: Endpoint, headers: Mapping[str, str]) -> Http2Request:
        """The path comes first here, for :meth:`__call__` to fill."""
        host, port = endpoint.host, endpoint.address[1]
        scheme = "https" if endpoint.tls else "http"
        pairs = [(":path", call.path), (":method", call.method), (":scheme", scheme), (":authority", f"{host}:{port}")]
        pairs += [("accept", "application/json"), *((name.lower(), value) for name, value in headers.items())]
        if call.body:
            pairs += [("content-type", call.content_type)]
        return Http2Request([(name.encode(), value.encode()) for name, value in pairs], call.body.encode())


class Http2Streams:
    """Hands out places for requests, :data:`STREAMS` on each connection that it opens."""

    def __init__(self, endpoint: Endpoint, access: Access) -> None:
        tls = endpoint.tls
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
        self._endpoint = dataclasses.replace(endpoint, tls=tls)
        self._access = access
        self._connections: list[Http2Connection] = []
        self._one_at_a_time = asyncio.Lock()

    async def connect(self) -> Http2Place:
        """A free place, on a new connection where none has one. Raises ``OSError``, also when there is no HTTP/2."""
        async with self._one_at_a_time:
            self._connections = [each for each in self._connections if each.open]
            for connection in self._connections:
                if connection.places < connection.most_places:
                    return Http2Place(connection)
            self._connections.append(await self._opened())
            return Http2Place(self._connections[-1])

    def close(self) -> None:
        for connection in self._connections:
            connection.close(None)

    async def _opened(self) -> Http2Connection:
        unconnected = await fresh_socket(self._endpoint, self._access)
        connected = await connected_socket(self._endpoint, unconnected)
        if isinstance(connected, ssl.SSLSocket) and connected.selected_alpn_protocol() != "h2":
            connected.close()
            raise ConnectionError("HTTP/2 is wanted, but the server does not speak it (ALPN); ask by HTTP/1.1")
        connection = Http2Connection(connected)
        try:
            async with asyncio.timeout(SETTINGS_S):
                await connection.settled
        except BaseException:
            connection.close(None)
            raise
        return connection


class Http2Place:
    """Room for one request at a time on a connection; given up for good by :meth:`abort`."""

    def __init__(self, connection: Http2Connection) -> None:
        self._connection = connection
        self._stream: int | None = None
        self._given_up = False
        connection.places += 1

    @property
    def usable(self) -> bool:
        return self._connection.open and not self._given_up and self._stream is None

    def begin(self, request: Http2Request, settled: Settled) -> None:
        """Send it; ``settled`` is called once, never from within, with the answer or what ended it."""
        if not self.usable:
            raise ConnectionError("the place is taken or its connection closed")

        def free(ended: Response | Exception) -> None:
            self._stream = None
            settled(ended)

        self._stream = self._connection.begin(request, free)

    def abort(self) -> None:
        if not self._given_up:
            self._given_up = True
            self._connection.places -= 1
            if self._stream is not None:
                self._connection.reset(self._stream)


@dataclass(slots=True)
class _Exchange:
    settled: Settled
    unsent: bytes
    status: int = 0
    body: bytes = b""


class Http2Connection:
    """One connection. ``open`` until it ends or the server says that it takes no more (GOAWAY)."""

    def __init__(self, connected: socket.socket) -> None:
        self.places = 0
        self.most_places = STREAMS
        self.open = True
        self._loop = asyncio.get_running_loop()
        self.settled: asyncio.Future[None] = self._loop.create_future()
        self._socket = connected
        self._fd = connected.fileno()
        self._exchanges: dict[int, _Exchange] = {}
        self._unsent = b""
        self._writing = False
        self._h2 = H2Connection(H2Configuration(
            client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
        ))  # fmt: skip
        self._h2.initiate_connection()
        self._h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES, SettingCodes.ENABLE_PUSH: 0})
        self._h2.increment_flow_control_window(WINDOW_BYTES)
        self._loop.add_reader(self._fd, self._receive)
        self._flush()

    def begin(self, request: Http2Request, settled: Settled) -> int:
        """Send a request on a new stream; which it is."""
        stream = self._h2.get_next_available_stream_id()
        self._exchanges[stream] = exchange = _Exchange(settled, request.body)
        self._h2.send_headers(stream, request.headers, end_stream=not request.body)
        self._send_body(stream, exchange)
        self._flush()
        if stream + 2 > MOST_STREAM_ID:
            self.open = False
        return stream

    def reset(self, stream: int) -> None:
        """Nobody waits for that answer any more."""
        if self._exchanges.pop(stream, None) is not None and self._fd >= 0:
            self._h2.reset_stream(stream, ErrorCodes.CANCEL)
            self._flush()

    def close(self, error: Exception | None) -> None:
        """Close at once; what was asked and not answered has ended by ``error``."""
        if self._fd < 0:
            return
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        with contextlib.suppress(OSError):
            self._socket.close()
        self._fd, self.open = -1, False
        lost = ConnectionResetError(f"the connection ended before the answer did: {error}")
        if not self.settled.done():
            self.settled.set_exception(lost)
        exchanges, self._exchanges = self._exchanges, {}
        for exchange in exchanges.values():
            exchange.settled(lost)

    def _send_body(self, stream: int, exchange: _Exchange) -> None:
        while exchange.unsent:
            room = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if room <= 0:
                return  # WindowUpdated goes on with it
            piece, exchange.unsent = exchange.unsent[:room], exchange.unsent[room:]
            self._h2.send_data(stream, piece, end_stream=not exchange.unsent)

    def _flush(self) -> None:
        if self._fd < 0:
            return
        self._unsent += self._h2.data_to_send()
        try:
            sent = self._socket.send(self._unsent) if self._unsent else 0
        except WOULD_BLOCK:
            sent = 0
        except OSError as error:
            self._loop.call_soon(self.close, error)
            return
        self._unsent = self._unsent[sent:]
        if self._unsent and not self._writing:
            self._loop.add_writer(self._fd, self._flush)
        elif self._writing and not self._unsent:
            self._loop.remove_writer(self._fd)
        self._writing = bool(self._unsent)

    def _receive(self) -> None:
        while self._fd >= 0:
            try:
                data = self._socket.recv(RECEIVE_BYTES)
                now_ns = time.monotonic_ns()
                events = self._h2.receive_data(data) if data else []
            except WOULD_BLOCK:
                return
            except (OSError, ProtocolError) as error:
                self.close(error)
                return
            if not data:
                self.close(None)
                return
            for event in events:
                self._take(event, now_ns)
            self._flush()
            if not isinstance(self._socket, ssl.SSLSocket) or self._fd < 0 or not self._socket.pending():
                return

    def _take(self, event: Event, now_ns: int) -> None:
        match event:
            case ResponseReceived(stream_id=stream, headers=headers) if stream in self._exchanges:
                self._exchanges[stream].status = int(dict(headers)[b":status"])
            case DataReceived():
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if (exchange := self._exchanges.get(event.stream_id)) is not None:
                    exchange.body += event.data
            case StreamEnded(stream_id=stream) if stream in self._exchanges:
                done = self._exchanges.pop(stream)
                done.settled(Response(done.status, done.body, now_ns))
            case StreamReset(stream_id=stream) if stream in self._exchanges:
                self._exchanges.pop(stream).settled(ConnectionResetError(f"the server reset it: {event.error_code}"))
            case WindowUpdated():
                for stream, exchange in list(self._exchanges.items()):
                    self._send_body(stream, exchange)
            case RemoteSettingsChanged():
                self.most_places = min(STREAMS, self._h2.remote_settings.max_concurrent_streams)
                if not self.settled.done():
                    self.settled.set_result(None)
            case ConnectionTerminated():
                self.close(ConnectionError(f"the server goes away: {event.error_code}"))
