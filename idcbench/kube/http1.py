"""Reads HTTP/1.1 responses from bytes, however the network cut them. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto


class _Part(Enum):
    HEAD = auto()
    COUNTED = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    TRAILER = auto()
    UNTIL_CLOSE = auto()
    DONE = auto()


def whole_response(data: bytes) -> tuple[int, bytes] | None:
    """Status and body, if ``data`` is exactly one ordinary success that leaves the connection open.

    The short way for nearly every answer to a write; ``None`` says nothing but that :class:`ResponseParser` is needed.
    """
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0 or not data.startswith(b"HTTP/1.1 2"):
        return None
    at = data.find(b"\r\nContent-Length: ", 0, head_end)
    if at < 0 or data.find(b"\r\nConnection:", 0, head_end) >= 0:
        return None
    length_end = data.find(b"\r\n", at + 18, head_end + 2)
    length = data[at + 18 : length_end]
    if not length.isdigit() or int(length) != len(data) - head_end - 4 or not data[9:12].isdigit():
        return None
    return int(data[9:12]), data[head_end + 4 :]


class ResponseParser:
    """One response. ``status`` is 0 until its head is there; the body goes to ``on_body`` piece by piece.

    ``complete`` turns true with the last byte (:meth:`end` for a body that only the end of the connection ends).
    ``keeps_open`` says whether the connection can serve another request afterwards. :meth:`feed` raises
    ``ValueError`` when the bytes are not HTTP/1.1.
    """

    def __init__(self, on_body: Callable[[bytes], object]) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._on_body = on_body
        self._part = _Part.HEAD
        self._left = 0
        self._buffer = bytearray()

    @property
    def complete(self) -> bool:
        return self._part is _Part.DONE

    @property
    def keeps_open(self) -> bool:
        return self.complete and not self._buffer and self.headers.get("connection", "").lower() != "close"

    def feed(self, data: bytes) -> None:
        self._buffer += data
        while self._step():
            pass

    def end(self) -> bool:
        """The connection ended; say whether the response is whole."""
        if self._part is _Part.UNTIL_CLOSE:
            self.headers["connection"] = "close"
            self._part = _Part.DONE
        return self.complete

    def _step(self) -> bool:
        """Take one element off the buffer; false when more bytes are needed or the response is complete."""
        match self._part:
            case _Part.HEAD:
                return self._head()
            case _Part.COUNTED | _Part.CHUNK:
                return self._counted()
            case _Part.CHUNK_SIZE:
                line = self._line()
                return line is not None and self._begin_chunk(int(line.split(b";")[0], 16))
            case _Part.CHUNK_END:
                return self._expect_empty_line()
            case _Part.TRAILER:
                return self._trailer()
            case _Part.UNTIL_CLOSE:
                return self._everything()
            case _Part.DONE:
                return False

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        if not first.startswith("HTTP/1."):
            raise ValueError(f"not an HTTP/1 status line: {first[:60]!r}")
        status = int(first.split(" ", 2)[1])
        if 100 <= status < 200:  # an interim response; the real one follows
            return True
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.status = status
        self._begin_body()
        return True

    def _begin_body(self) -> None:
        if self.status in (204, 304):
            self._part = _Part.DONE
        elif "chunked" in self.headers.get("transfer-encoding", "").lower():
            self._part = _Part.CHUNK_SIZE
        elif "content-length" in self.headers:
            self._left = int(self.headers["content-length"])
            self._part = _Part.COUNTED if self._left else _Part.DONE
        else:
            self._part = _Part.UNTIL_CLOSE

    def _begin_chunk(self, size: int) -> bool:
        self._left = size
        self._part = _Part.CHUNK if size else _Part.TRAILER
        return True

    def _counted(self) -> bool:
        if not self._buffer:
            return False
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        self._left -= len(piece)
        self._on_body(piece)
        if not self._left:
            self._part = _Part.DONE if self._part is _Part.COUNTED else _Part.CHUNK_END
        return True

    def _expect_empty_line(self) -> bool:
        line = self._line()
        if line:
            raise ValueError(f"a chunk is longer than its size said: {line[:60]!r}")
        if line is not None:
            self._part = _Part.CHUNK_SIZE
        return line is not None

    def _trailer(self) -> bool:
        line = self._line()
        if line == b"":
            self._part = _Part.DONE
        return line is not None

    def _everything(self) -> bool:
        if self._buffer:
            self._on_body(bytes(self._buffer))
            self._buffer.clear()
        return False
