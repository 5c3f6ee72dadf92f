"""A drill: one fault, with a probe sending, an observer looking on, and the virtual IP's owners followed throughout."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from idcbench.measure.addresses import Holding
from idcbench.measure.observer import RunningObserver, observing, subjects_of
from idcbench.measure.plan import Plan
from idcbench.measure.probe import Prober, ProbeResult, RunningProbe
from idcbench.measure.vigil import Seen, Sighting
from idcbench.plugin.live import LiveCluster

from .members import Member, members_of, wait_until_all_ready, wait_until_caught_up
from .virtual_ip import OwnerWatch, wait_for_one_owner, watching_owners

BEFORE_S = 2.0
"""Without a failed request, before a fault."""
AFTER_S = 10.0
"""Without a failed request, after what was lost is back."""
SEEN_WITHIN_S = 10.0
RECOVERY_S = 120.0
"""No recovery takes longer: a component that keeps dying is restarted every 30 s at the latest."""
ALONE_LOST_S = 30.0
"""After this the only member is let back: nothing can take over, so there is nothing to wait for."""
STAMP_SLACK_NS = 200_000_000
"""The observer dates a silence from the last question without an answer, which may be from before the act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is to be broken. ``log`` names its records, ``labels`` its metrics.

    ``seen`` is how the observer must see ``component`` of ``host``; ``undo`` brings back what does not come by itself.
    ``powers_off``: the whole host goes, with all that it could tell.
    """

    log: str
    labels: dict[str, str]
    host: str
    component: str
    verb: str
    action: str
    seen: tuple[Seen, ...]
    act: Callable[[], None]
    undo: Callable[[], None] | None = None
    powers_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """What one drill gave; all times CLOCK_MONOTONIC in ns.

    ``acted_ns`` is before the verb was called, ``fault_ns`` when the observer saw the fault, ``sure_ns`` when it was
    complete, ``returned_ns`` when what was lost began to come back, ``back_ns`` when the member had caught up,
    ``steady_ns`` when all had been well for long enough.
    """

    fault: Fault
    members: int
    acted_ns: int
    fault_ns: int
    sure_ns: int
    returned_ns: int
    back_ns: int
    steady_ns: int
    probe: ProbeResult
    held: list[Holding] = field(repr=False)
    sightings: tuple[Sighting, ...] = field(repr=False)
    observer_cpu_share: float

    @property
    def since_ns(self) -> int:
        """From when on what happens counts as the fault's."""
        return min(self.acted_ns, self.fault_ns)

    @property
    def cause(self) -> str:
        """Why the outage lasted as long as it did, where there was nobody to take over; else empty."""
        if self.members > 1:
            return ""
        if self.fault.undo is None:
            return "nobody could take over; out until its supervisor had started it again"
        return f"nobody could take over; let back after {ALONE_LOST_S:g} s"


class Range:
    """The place where drills are held: a cluster, its members, and what watches them."""

    def __init__(self, cluster: LiveCluster, prober: Prober, *, plan: Plan | None = None) -> None:
        self.cluster = cluster
        self.plan = plan or Plan()
        self.members = members_of(cluster.access, [(host.name, host.address) for host in cluster.hosts])
        self._prober = prober
        self._virtual_ip = cluster.facts.virtual_ip

    def make_ready(self) -> str:
        """Wait until every member is ready and one host holds the virtual IP; which. Raises when that is not so."""
        wait_until_all_ready(self.cluster.access, self.members, timeout_s=RECOVERY_S)
        return wait_for_one_owner(self.cluster.hosts, self._virtual_ip, timeout_s=SEEN_WITHIN_S)

    def member(self, name: str) -> Member:
        """The member on the host of that name."""
        return next(member for member in self.members if member.name == name)

    def drill(self, fault: Fault) -> Drilled:
        """Break, wait until the service is back, mend, and wait until all is well.

        Raises when the observer did not see the fault, or when something is not back in time.
        """
        with self._watched() as (probe, observer, owners):
            acted_ns = time.monotonic_ns()
            try:
                fault.act()
                if fault.powers_off:
                    owners.went_off(fault.host, time.monotonic_ns())
                sighting = observer.wait_until_seen(
                    fault.host, fault.component, fault.seen, after_ns=acted_ns - STAMP_SLACK_NS, timeout_s=SEEN_WITHIN_S
                )
                self._hold(fault, probe, acted_ns)
            finally:
                returned_ns = time.monotonic_ns() if fault.undo else acted_ns
                if fault.undo:
                    fault.undo()
            back_ns = wait_until_caught_up(self.cluster.access, self.members, fault.host, timeout_s=RECOVERY_S)
            probe.wait_steady(for_s=AFTER_S, after_ns=back_ns, timeout_s=RECOVERY_S)
            return Drilled(
                fault=fault,
                members=len(self.members),
                acted_ns=acted_ns,
                fault_ns=sighting.at_ns,
                sure_ns=sighting.sure_ns,
                returned_ns=returned_ns,
                back_ns=back_ns,
                steady_ns=time.monotonic_ns(),
                probe=probe.stop(),
                held=owners.end(),
                sightings=observer.sightings(),
                observer_cpu_share=observer.cpu_share(),
            )

    @contextmanager
    def _watched(self) -> Iterator[tuple[RunningProbe, RunningObserver, OwnerWatch]]:
        subjects = subjects_of(self.cluster.access, [(member.name, member.address) for member in self.members])
        with (
            observing(self.cluster.access, subjects) as observer,
            watching_owners(self.cluster.hosts, self._virtual_ip) as owners,
            self._prober.running(self.plan) as probe,
        ):
            observer.wait_until_all_up()
            probe.wait_steady(for_s=BEFORE_S)
            yield probe, observer, owners

    def _hold(self, fault: Fault, probe: RunningProbe, acted_ns: int) -> None:
        """Keep the fault until the others serve again; one that mends itself needs no holding."""
        if fault.undo is None:
            return
        if len(self.members) > 1:
            probe.wait_steady(for_s=BEFORE_S, after_ns=acted_ns)
        else:
            time.sleep(ALONE_LOST_S)
