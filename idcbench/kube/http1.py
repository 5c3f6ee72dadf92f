"""Reads HTTP/1.1 responses from bytes, however the network cut them. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto


class _Part(Enum):
    HEAD = auto()
    COUNTED = auto()
    CHUNKS = auto()
    TRAILER = auto()
    UNTIL_CLOSE = auto()
    DONE = auto()


def whole_response(data: bytes) -> tuple[int, bytes] | None:
    """Status and body, if ``data`` is exactly one ordinary success that leaves the connection open.

    The short way for nearly every answer to a write; ``None`` says nothing but that :class:`ResponseParser` is needed.
    """
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0 or not data.startswith(b"HTTP/1.1 2") or not data[9:12].isdigit():
        return None
    if data.find(b"\r\nConnection:", 0, head_end) >= 0:
        return None
    body = _counted_body(data, head_end)
    if body is None and data.endswith(b"\r\n0\r\n\r\n"):
        body = _chunked_body(data, head_end)
    return None if body is None else (int(data[9:12]), body)


def _counted_body(data: bytes, head_end: int) -> bytes | None:
    at = data.find(b"\r\nContent-Length: ", 0, head_end)
    if at < 0:
        return None
    length = data[at + 18 : data.find(b"\r\n", at + 18, head_end + 2)]
    if not length.isdigit() or int(length) != len(data) - head_end - 4:
        return None
    return data[head_end + 4 :]


def _chunked_body(data: bytes, head_end: int) -> bytes | None:
    if data.find(b"\r\nTransfer-Encoding: chunked\r\n", 0, head_end + 2) < 0:
        return None
    try:
        pieces, end, last = _chunks(data, head_end + 4)
    except ValueError:
        return None
    return b"".join(pieces) if last and end == len(data) - 2 else None


def _chunks(data: bytes | bytearray, at: int) -> tuple[list[bytes | bytearray], int, bool]:
    """The whole chunks from ``at`` on, where they end, and whether the empty one that ends the body is among them.

    Raises ``ValueError`` for what is no chunk.
    """
    pieces: list[bytes | bytearray] = []
    while (size_end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:size_end].split(b";")[0], 16)
        if size == 0:
            return pieces, size_end + 2, True
        end = size_end + 2 + size
        if len(data) < end + 2:
            break
        if size < 0 or data[end : end + 2] != b"\r\n":
            raise ValueError(f"a chunk is not as long as its size said: {bytes(data[at : size_end + 60])!r}")
        pieces.append(data[size_end + 2 : end])
        at = end + 2
    return pieces, at, False


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
            case _Part.COUNTED:
                return self._counted()
            case _Part.CHUNKS:
                return self._whole_chunks()
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
            self._part = _Part.CHUNKS
        elif "content-length" in self.headers:
            self._left = int(self.headers["content-length"])
            self._part = _Part.COUNTED if self._left else _Part.DONE
        else:
            self._part = _Part.UNTIL_CLOSE

    def _counted(self) -> bool:
        if not self._buffer:
            return False
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        self._left -= len(piece)
        self._on_body(piece)
        if not self._left:
            self._part = _Part.DONE
        return True

    def _whole_chunks(self) -> bool:
        """All at once: a list of Kubernetes comes in two chunks for each object."""
        pieces, end, last = _chunks(self._buffer, 0)
        del self._buffer[:end]
        if pieces:
            self._on_body(b"".join(pieces))
        if last:
            self._part = _Part.TRAILER
        return last

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
