"""A request to be written, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Method = Literal["POST", "PATCH", "DELETE", "PUT"]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a write ended. ``status`` is 0 without an answer; then ``sent`` says whether it may have been done."""

    status: int
    body: bytes = b""
    sent: bool = True
    fenced: bool = False
    """Not sent: the lease would not have outlasted it."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(slots=True, eq=False)
class Write:
    """A request to be sent once. ``settled`` is called with its answer, never from within :meth:`Writer.submit`."""

    method: Method
    path: str
    body: bytes
    settled: Callable[[Answer], object]
    content_type: str = "application/json"
    event: bool = False
    cancelled: bool = False
    """Set by its owner when it need not be sent any more; it is settled as not sent then, if it was not."""
    tries: int = 0
    queued_s: float = 0.0
    sent_s: float = 0.0
