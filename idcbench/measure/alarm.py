"""Waking at a time to the microsecond: asyncio's own timers are rounded up to the millisecond of epoll.

A timer of the kernel as a file (timerfd_create(2)), which the selector watches like a connection; Python has it from
3.13 on only.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
from collections.abc import Callable

_CLOCK_MONOTONIC, _TFD_TIMER_ABSTIME = 1, 1
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_libc = ctypes.CDLL(None, use_errno=True)


class _Times(ctypes.Structure):
    """struct itimerspec: every how long, and when first."""

    _fields_ = (
        ("every_s", ctypes.c_long), ("every_ns", ctypes.c_long), ("at_s", ctypes.c_long), ("at_ns", ctypes.c_long),
    )  # fmt: skip


_libc.timerfd_settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Times), ctypes.c_void_p)


class Alarm:
    """Calls ``ring`` in the running loop at the time that was :meth:`set` last, once."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._fd = _checked(_libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS))
        self._loop = asyncio.get_running_loop()
        self._ring = ring
        self._times = _Times()
        self._loop.add_reader(self._fd, self._rung)

    def set(self, when_ns: int) -> None:
        """When CLOCK_MONOTONIC says ``when_ns``; at the loop's next turn when that is over already."""
        self._times.at_s, self._times.at_ns = divmod(max(when_ns, 1), 1_000_000_000)
        _checked(_libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, self._times, None))

    def close(self) -> None:
        """It rings no more."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _rung(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it was set anew in this very turn
            os.read(self._fd, 8)
            self._ring()


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
