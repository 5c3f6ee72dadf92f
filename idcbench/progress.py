"""What is being waited for: said by whoever waits, shown by whoever has a terminal (cli/display.py)."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Takes one line about the step at work. Calling with a new ``what`` ends the step before.

    ``done`` out of ``total`` in ``unit`` where the amount is known. Cheap: may be called for each chunk or poll.
    """

    def __call__(self, what: str, *, done: float = 0, total: float | None = None, unit: str = "") -> None: ...


def silent(what: str, *, done: float = 0, total: float | None = None, unit: str = "") -> None:
    """Show nothing."""
