"""Whole lines out of a stream that comes in pieces."""

from __future__ import annotations


class Lines:
    """Cuts a stream of bytes at its newlines; a line may be long, and come in many pieces."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that ``piece`` completes, without newlines; empty lines are left out."""
        first, *rest = piece.split(b"\n")
        self._begun.append(first)
        if not rest:
            return []
        complete = [b"".join(self._begun), *rest[:-1]]
        self._begun = [rest[-1]]
        return [line for line in complete if line]
