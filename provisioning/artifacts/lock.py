"""One process at a time provides a part; the others wait and say so."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...progress import Progress

_POLL_S = 0.2


@contextmanager
def alone(path: Path, *, doing: str, progress: Progress) -> Iterator[int]:
    """Hold the lock file ``path``; gives its descriptor. The kernel frees it when the last holder of it is gone.

    A child that inherits the descriptor keeps the lock, so that what a killed idcbench left running is waited for too.
    The file stays: removing it would let two processes lock two files of one name.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        while not _taken(descriptor):
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            progress(f"waiting for another idcbench (pid {holder or 'unknown'}) that is providing {doing}")
            # flock has no time limit of its own, and the caller's progress must stay able to end the wait.
            time.sleep(_POLL_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def alone_if_free(path: Path) -> Iterator[bool]:
    """Like :func:`alone` without waiting: gives whether the lock was to be had."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield _taken(descriptor)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
