"""Who holds the virtual IP, watched on every host while a fault goes on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from idcbench.hosts.completed import Completed
from idcbench.measure.addresses import ADDRESSES, MONITOR, Change, Holding, changes_in, holds, owners_over_time
from idcbench.measure.clock import ClockPair

LONGEST_S = 900.0
"""After this a monitor ends by itself, should nobody come to end it."""
BEGIN = """\
file=$1; shift
setsid timeout "$@" > "$file" 2>/dev/null < /dev/null &
echo $! > "$file.pid"
"""
"""What the kernel tells goes into a file of the host, as a fault may cut the connection that it would come by."""
END = """\
pid=$(cat "$1.pid")
if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = timeout ]; then
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
fi
cat "$1"
rm -f "$1" "$1.pid"
"""


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
        self.file = f"/var/tmp/idcbench-monitor-{secrets.token_hex(4)}"
        """On every host, with the host's name behind it: hosts may share their file system."""
        self._begun_hosts: list[RunsCommands] = []
        self._off: list[Change] = []
        self._before: frozenset[str] = frozenset()
        self._begun = ClockPair.read()
        self._held: list[Holding] | None = None

    def begin(self) -> None:
        """Start a monitor on each host, and see who holds the address at first."""
        for host in self._hosts:
            self._begun_hosts.append(host)
            host.run("sh", "-c", BEGIN, "begin", self._file(host), f"{LONGEST_S:.0f}", *MONITOR).check()
        self._before = owners(self._hosts, self._address)
        self._begun = ClockPair.read()

    def went_off(self, host: str, at_ns: int) -> None:
        """A host lost its power, and with it the address if it had it; its monitor has ended without a word."""
        self._off.append(Change(at_ns=at_ns, host=host, took=False))

    def end(self) -> list[Holding]:
        """End the monitors; who held the address from :meth:`begin` on. The second time: the same."""
        if self._held is None:
            texts = {host.name: host.run("sh", "-c", END, "end", self._file(host)).stdout for host in self._begun_hosts}
            changes = [change for name, text in texts.items() for change in self._changes(name, text)]
            self._held = owners_over_time(self._before, [*changes, *self._off], since_ns=self._begun.monotonic_ns)
            if self._off and (now := owners(self._hosts, self._address)) != self._held[-1].owners:
                self._held.append(Holding(since_ns=ClockPair.read().monotonic_ns, owners=now))
        return self._held

    def _file(self, host: RunsCommands) -> str:
        return f"{self.file}-{host.name}"

    def _changes(self, host: str, text: str) -> list[Change]:
        found = changes_in(text, host=host, address=self._address, clock=self._begun)
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
