"""The cluster's lock among processes: many tests share it, or one holds it alone, and who wants it alone goes first."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An interval in which a test held the lock, CLOCK_MONOTONIC."""

    nodeid: str
    alone: bool
    worker: str
    from_ns: int
    until_ns: int


class ClusterLock:
    """Two files of which the kernel keeps the locks, so that a process that dies gives them back.

    Who wants the cluster alone holds ``waiting`` shared from its first wait to its end, and ``cluster`` exclusively
    while it runs. Who shares takes ``waiting`` exclusively, which it gets only when nobody waits or runs alone, then
    ``cluster`` shared, and gives ``waiting`` back. A new waiter is not held up by a queue for ``waiting``: the kernel
    grants a shared flock while others hold it shared.
    """

    def __init__(self, folder: Path) -> None:
        self._waiting = folder / ".waiting.lock"
        self._cluster = folder / ".cluster.lock"

    @contextmanager
    def held(self, *, alone: bool) -> Iterator[int]:
        """Hold the lock; gives the time at which it was granted. Waits without limit, signals interrupt it."""
        with (
            _locked(self._waiting, fcntl.LOCK_SH if alone else fcntl.LOCK_EX) as waiting,
            _locked(self._cluster, fcntl.LOCK_EX if alone else fcntl.LOCK_SH),
        ):
            if not alone:
                fcntl.flock(waiting, fcntl.LOCK_UN)
            yield time.monotonic_ns()


@contextmanager
def _locked(path: Path, how: int) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        os.close(descriptor)
