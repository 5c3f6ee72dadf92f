"""The independent observer as suites use it: it saw the fault, or the fault did not happen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import msgspec

from ..kube.access import Access
from .instrument import Instrument
from .observer_process import ObserverSettings
from .vigil import Seen, Sighting, Subject

ETCD_METRICS_PORT = 2381
"""etcd answers in clear there (`--listen-metrics-urls`), on the address of its host."""
SLACK_S = 5.0


def subjects_of(access: Access, hosts: Iterable[tuple[str, str]]) -> tuple[Subject, ...]:
    """etcd and the API server of each host (name, address), by the ports that the members' URLs name."""
    servers = {urlsplit(url).hostname: url for url in access.members}
    found = []
    for name, address in hosts:
        found.append(Subject(host=name, component="etcd", url=f"http://{address}:{ETCD_METRICS_PORT}"))
        if address in servers:
            found.append(Subject(host=name, component="kube-apiserver", url=servers[address]))
    return tuple(found)


class RunningObserver:
    """An observer at work. Shares nothing with what injects faults: it sees what a neighbour in the network sees."""

    def __init__(self, instrument: Instrument, subjects: tuple[Subject, ...]) -> None:
        self._instrument = instrument
        self.subjects = subjects

    def wait_until_seen(
        self, host: str, component: str, seen: Seen | tuple[Seen, ...], *, after_ns: int = 0, timeout_s: float = 10.0
    ) -> Sighting:
        """The first sighting of that sort at ``after_ns`` or later, once there is one.

        Raises :class:`~idcbench.measure.instrument.InstrumentError` when there is none in time.
        """
        answer = self._instrument.ask(
            "wait",
            answer_within_s=timeout_s + SLACK_S,
            host=host,
            component=component,
            seen=[seen] if isinstance(seen, str) else list(seen),
            after_ns=after_ns,
            timeout_s=timeout_s,
        )
        return msgspec.convert(answer, type=Sighting)

    def wait_until_all_up(self, *, timeout_s: float = 10.0) -> None:
        """Wait until everything watched was seen; raises as :meth:`wait_until_seen`."""
        for subject in self.subjects:
            self.wait_until_seen(subject.host, subject.component, "up", timeout_s=timeout_s)

    def sightings(self) -> tuple[Sighting, ...]:
        """Everything seen so far, by time."""
        found = msgspec.convert(self._instrument.ask("sightings", answer_within_s=SLACK_S), type=tuple[Sighting, ...])
        return tuple(sorted(found, key=lambda sighting: sighting.at_ns))

    def cpu_share(self) -> float:
        """What observing costs, of the whole machine, 0 to 1."""
        return float(self._instrument.ask("cost", answer_within_s=SLACK_S))


@contextmanager
def observing(access: Access, subjects: tuple[Subject, ...]) -> Iterator[RunningObserver]:
    """An observer of ``subjects``, until the block is left."""
    with Instrument("idcbench.measure.observer_process", ObserverSettings(access=access, subjects=subjects)) as it:
        yield RunningObserver(it, subjects)
