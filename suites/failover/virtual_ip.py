"""Who holds the virtual IP, watched on every host while a fault goes on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

from idcbench.hosts.completed import Completed
from idcbench.measure.addresses import ADDRESSES, MONITOR, Change, Holding, changes_in, holds, owners_over_time
from idcbench.measure.clock import ClockPair

LONGEST_S = 900.0
"""After this a monitor ends by itself, should nobody come to end it."""


class RunsCommands(Protocol):
    """A host, as ``idc_cluster.hosts`` has them."""

    @property
    def name(self) -> str: ...
    def run(self, *argv: str, timeout_s: float = 30.0) -> Completed: ...


def owners(hosts: Sequence[RunsCommands], address: str) -> frozenset[str]:
    """The hosts that hold ``address`` now. Raises :class:`~idcbench.hosts.completed.CommandError`."""
    return frozenset(host.name for host in hosts if holds(host.run(*ADDRESSES).check().stdout, address))


class OwnerWatch:
    """Follows the owners of an address on all hosts from :meth:`begin` on; :meth:`end` says who held it when."""

    def __init__(self, hosts: Sequence[RunsCommands], address: str) -> None:
        self._hosts = tuple(hosts)
        self._address = address
        self._pid_file = f"/tmp/idcbench-monitor-{secrets.token_hex(4)}"
        self._threads = ThreadPoolExecutor(max_workers=len(self._hosts), thread_name_prefix="idcbench-owners")
        self._running: list[Future[Completed]] = []
        self._before: frozenset[str] = frozenset()
        self._begun = ClockPair.read()
        self._held: list[Holding] | None = None

    def begin(self) -> None:
        """Start a monitor on each host, wait until it is there, and see who holds the address at first."""
        self._running = [self._threads.submit(self._monitor, host) for host in self._hosts]
        for host in self._hosts:
            host.run("sh", "-c", f"until [ -s {self._pid_file}-{host.name} ]; do sleep 0.02; done").check()
        self._before = owners(self._hosts, self._address)
        self._begun = ClockPair.read()

    def end(self) -> list[Holding]:
        """End the monitors; who held the address from :meth:`begin` on. The second time: the same."""
        if self._held is None:
            for host in self._hosts:
                host.run("sh", "-c", f"kill $(cat {self._pid_file}-{host.name}); rm {self._pid_file}-{host.name}")
            self._threads.shutdown()
            pairs = zip(self._hosts, self._running, strict=True)
            changes = [change for host, running in pairs for change in self._of(host, running)]
            self._held = owners_over_time(self._before, changes, since_ns=self._begun.monotonic_ns)
        return self._held

    def _monitor(self, host: RunsCommands) -> Completed:
        monitor = f"timeout {LONGEST_S:.0f} {' '.join(MONITOR)}"
        script = f"{monitor} & echo $! > {self._pid_file}-{host.name}; wait"
        return host.run("sh", "-c", script, timeout_s=LONGEST_S + 10)

    def _of(self, host: RunsCommands, running: Future[Completed]) -> list[Change]:
        text = running.result(timeout=10).stdout
        found = changes_in(text, host=host.name, address=self._address, clock=self._begun)
        return [change for change in found if change.at_ns >= self._begun.monotonic_ns]


@contextmanager
def watching_owners(hosts: Sequence[RunsCommands], address: str) -> Iterator[OwnerWatch]:
    """A watch that has begun, and that ends with the block."""
    watch = OwnerWatch(hosts, address)
    try:
        watch.begin()
        yield watch
    finally:
        watch.end()


def wait_for_one_owner(hosts: Sequence[RunsCommands], address: str, *, timeout_s: float) -> str:
    """Wait until exactly one host holds ``address``; which. Raises ``TimeoutError``."""
    until = time.monotonic() + timeout_s
    while len(found := owners(hosts, address)) != 1:
        if time.monotonic() > until:
            raise TimeoutError(f"{address}: one owner is wanted within {timeout_s:g} s, found {sorted(found)}")
        time.sleep(0.1)
    return next(iter(found))
