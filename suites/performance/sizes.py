"""How large a measurement is: the size it is stated for, times the share that was asked for."""

from __future__ import annotations


def scaled(stated: int, scale: float, *, least: int = 1) -> int:
    """``stated`` times ``scale``, rounded, and never below ``least``. What was really done is in a series' labels."""
    return max(least, round(stated * scale))
