"""How long to wait before a call is tried again."""

from __future__ import annotations

from dataclasses import dataclass

ASKED_MOST_S = 30.0
"""The longest wait that a server's ``Retry-After`` may ask for."""


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Delays that double from ``first_s`` to ``most_s``; :meth:`reset` after a success starts anew."""

    first_s: float = 0.1
    most_s: float = 5.0
    tries: int = 0

    def next_s(self, asked_s: float | None = None) -> float:
        """The delay before the next try: what the server asked for (at most 30 s), else our own."""
        own_s = self.first_s * 2.0 ** min(self.tries, 30)
        self.tries += 1
        return min(self.most_s, own_s) if asked_s is None else min(ASKED_MOST_S, asked_s)

    def reset(self) -> None:
        self.tries = 0
