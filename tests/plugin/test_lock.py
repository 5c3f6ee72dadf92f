"""The cluster's lock: shared by many, held alone by one, given to who wants it alone first."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from idcbench.plugin.lock import ClusterLock

LIMIT_S = 10.0


class Holder(threading.Thread):
    """Takes the lock in a thread (an open file of its own, so flock sees another owner) and holds it until told."""

    def __init__(self, folder: Path, *, alone: bool) -> None:
        super().__init__(daemon=True)
        self.alone = alone
        self.folder = folder
        self.has = threading.Event()
        self.release = threading.Event()
        self.interval = (0, 0)

    def run(self) -> None:
        with ClusterLock(self.folder).held(alone=self.alone) as from_ns:
            self.has.set()
            assert self.release.wait(LIMIT_S)
            self.interval = (from_ns, time.monotonic_ns())

    def finish(self) -> None:
        self.release.set()
        self.join(LIMIT_S)
        assert not self.is_alive()


def started(folder: Path, *, alone: bool) -> Holder:
    holder = Holder(folder, alone=alone)
    holder.start()
    return holder


def blocked_on_flock(folder: Path, count: int) -> bool:
    """Whether the kernel lists ``count`` waiters on the lock files."""
    inodes = {str(path.stat().st_ino) for path in folder.glob(".*.lock")}
    lines = Path("/proc/locks").read_text().splitlines()
    return sum("->" in line and line.split()[-3].split(":")[-1] in inodes for line in lines) == count


def wait_blocked(folder: Path, count: int) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not blocked_on_flock(folder, count):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_many_share(tmp_path: Path) -> None:
    holders = [started(tmp_path, alone=False) for _ in range(3)]
    assert all(holder.has.wait(LIMIT_S) for holder in holders)
    for holder in holders:
        holder.finish()


@pytest.mark.parametrize("first", [True, False])
def test_alone_excludes_the_others(tmp_path: Path, first: bool) -> None:
    one = started(tmp_path, alone=first)
    assert one.has.wait(LIMIT_S)
    other = started(tmp_path, alone=not first)
    wait_blocked(tmp_path, 1)
    assert not other.has.is_set()
    one.finish()
    assert other.has.wait(LIMIT_S)
    other.finish()
    assert one.interval[1] <= other.interval[0]


def test_who_wants_it_alone_goes_before_who_shares(tmp_path: Path) -> None:
    sharing = started(tmp_path, alone=False)
    assert sharing.has.wait(LIMIT_S)
    alone = started(tmp_path, alone=True)
    wait_blocked(tmp_path, 1)
    late = started(tmp_path, alone=False)
    wait_blocked(tmp_path, 2)
    second = started(tmp_path, alone=True)
    wait_blocked(tmp_path, 3)
    sharing.finish()
    for _ in range(2):
        assert alone.has.wait(LIMIT_S) or second.has.wait(LIMIT_S)
    assert not late.has.is_set()
    alone.release.set()
    second.release.set()
    alone.join(LIMIT_S)
    second.join(LIMIT_S)
    assert late.has.wait(LIMIT_S)
    late.finish()
    assert late.interval[0] >= max(alone.interval[1], second.interval[1])
