"""HTTP/2 as a server that knows its only answer speaks it: frames are read, headers are not (RFC 9113).

So light that it is the client whose ceiling is found.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 4, 6, 8
_ACK, _END_STREAM, _END_HEADERS = 1, 1, 4
_STATUS_200 = b"\x88"
"""The eighth entry of HPACK's static table (RFC 7541, appendix A)."""
_FRAME_HEAD = 9
_MAX_CONCURRENT_STREAMS, _INITIAL_WINDOW_SIZE = 3, 4


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def answer(stream: int, body: bytes) -> bytes:
    """200, and the body."""
    return frame(_HEADERS, _END_HEADERS, stream, _STATUS_200) + frame(_DATA, _END_STREAM, stream, body)


@dataclass(frozen=True, slots=True)
class Taken:
    """What is to be sent at once, and the streams whose requests are whole."""

    reply: bytes
    asked: tuple[int, ...]


class Http2Reader:
    """Takes what a client sends on one connection, however it was cut. Raises ``ValueError`` for what is no HTTP/2."""

    def __init__(self, *, streams: int = 100, window_bytes: int = 1 << 20) -> None:
        self._data = b""
        self._greeted = False
        self._settings = struct.pack(">HIHI", _MAX_CONCURRENT_STREAMS, streams, _INITIAL_WINDOW_SIZE, window_bytes)

    def feed(self, piece: bytes) -> Taken:
        self._data += piece
        reply, asked = b"", []
        if not self._greeted:
            if not PREFACE.startswith(self._data[: len(PREFACE)]):
                raise ValueError("no HTTP/2 preface")
            if len(self._data) < len(PREFACE):
                return Taken(b"", ())
            self._greeted, self._data = True, self._data[len(PREFACE) :]
            reply = frame(_SETTINGS, 0, 0, self._settings)
        while len(self._data) >= _FRAME_HEAD:
            length = int.from_bytes(self._data[:3])
            if len(self._data) < _FRAME_HEAD + length:
                break
            kind, flags, stream = struct.unpack_from(">BBI", self._data, 3)
            payload, self._data = self._data[_FRAME_HEAD : _FRAME_HEAD + length], self._data[_FRAME_HEAD + length :]
            reply += self._reply(kind, flags, stream, payload)
            if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
                asked.append(stream)
        return Taken(reply, tuple(asked))

    @staticmethod
    def _reply(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        if kind == _SETTINGS and not flags & _ACK:
            return frame(_SETTINGS, _ACK, 0, b"")
        if kind == _PING and not flags & _ACK:
            return frame(_PING, _ACK, 0, payload)
        if kind == _DATA and payload:
            more = struct.pack(">I", len(payload))
            own = b"" if flags & _END_STREAM else frame(_WINDOW_UPDATE, 0, stream, more)
            return frame(_WINDOW_UPDATE, 0, 0, more) + own
        return b""
