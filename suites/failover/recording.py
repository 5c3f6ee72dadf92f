"""From a drill to the run: series, the probe's log, and the timeline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import cast

import numpy as np

from idcbench.measure.outage import in_flight, started_after
from idcbench.measure.plan import CONNECTIONS, KINDS, Kind, Reuse
from idcbench.measure.probe import Prober
from idcbench.measure.requests import Outcome, Requests, log_rows
from idcbench.provisioning.controlplane.bounds import Fault as BoundedFault
from idcbench.provisioning.controlplane.bounds import outage_bound
from idcbench.runs.directory import Run
from idcbench.runs.series import Series

from .drill import Drilled, Range
from .metrics import DEFINITIONS, HEADLINE

BY_CHANCE = ("vip_and_leader",)
"""Labels that the fault does not decide: where the etcd leader happens to be."""
OVERHEAD = "probe-overhead"
OVERHEAD_TRIES = 3


class Recorder:
    """Writes what drills gave into one run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def measure_probe_once(self, prober: Prober, ground: Range) -> None:
        """Before the first fault of a run: what the probe costs and how late it is. Too much makes the run invalid.

        It has a few tries, all of them recorded, as the machine may still be busy with what was before.
        """
        if any(event["what"] == OVERHEAD for event in self._run.events()):
            return
        ground.make_ready()
        for _ in range(OVERHEAD_TRIES):
            overhead = prober.overhead(ground.plan)
            self._run.happened(OVERHEAD, **asdict(overhead))
            self._add(
                "measure.probe_cpu_share", {"when": "before the first fault"}, overhead.cpu_share, time.monotonic_ns()
            )
            self._add(
                "measure.probe_lag_p99", {"when": "before the first fault"}, overhead.lag_p99_ms, time.monotonic_ns()
            )
            if not overhead.objections:
                return
        for objection in overhead.objections:
            self._run.invalidate(f"before the first fault {objection}")

    def keep(self, drilled: Drilled, repetition: int, *, ground: Range) -> None:
        """Write one repetition: its log and its line of the timeline first, so that a failed proof leaves them too."""
        fault = drilled.fault
        deadline_ms = drilled.probe.plan.deadline_s * 1000
        log = self._run.probe_log(fault.log, repetition, deadline_ms=deadline_ms)
        log.add_many(log_rows(drilled.probe.requests))
        self._tell(drilled, repetition)
        self._bounds(drilled, ground)
        for kind in KINDS:
            for connection in CONNECTIONS:
                self._stream(drilled, kind, connection)
        for connection in CONNECTIONS:
            self._at_the_fault(drilled, connection)
        self._whole(drilled)

    def _tell(self, drilled: Drilled, repetition: int) -> None:
        fault = drilled.fault
        about = {"fault": fault.log, "repetition": repetition, "host": fault.host, "component": fault.component}
        self._run.happened(
            "fault",
            at_ns=drilled.acted_ns,
            action=fault.action,
            verb=fault.verb,
            confirmed_ns=drilled.fault_ns,
            **({"cause": drilled.cause} if drilled.cause else {}),
            **about,
        )
        if fault.undo is not None:
            self._run.happened("returned", at_ns=drilled.returned_ns, **about)
        self._run.happened("recovered", at_ns=drilled.back_ns, **about)
        for at_ns, host, took in _takings(drilled):
            what = "vip-owner" if took else "vip-left"
            self._run.happened(what, at_ns=at_ns, fault=fault.log, repetition=repetition, host=host)
        for sighting in drilled.sightings:
            seen = asdict(sighting)
            self._run.happened("seen", at_ns=seen.pop("at_ns"), fault=fault.log, repetition=repetition, **seen)

    def _bounds(self, drilled: Drilled, ground: Range) -> None:
        timers = ground.cluster.facts.timers
        if timers is None:
            return
        for connection in CONNECTIONS:
            bound = outage_bound(
                timers,
                _bounded(drilled),
                members=len(ground.members),
                reused=connection == "reused",
                with_leader=drilled.fault.labels.get("vip_and_leader") == "yes",
                deadline_ms=drilled.probe.plan.deadline_s * 1000,
            )
            if bound is not None:
                self._run.happened(
                    "bound",
                    fault=drilled.fault.log,
                    connection=connection,
                    value_ms=bound.value_ms,
                    explanation=bound.explanation,
                )

    def _stream(self, drilled: Drilled, kind: Kind, connection: Reuse) -> None:
        labels = drilled.fault.labels | {"connection": connection}
        end_ns = drilled.steady_ns
        lost_until_ns = drilled.returned_ns if drilled.fault.undo else end_ns
        lost = drilled.probe.summary(kind, connection, since_ns=drilled.since_ns, until_ns=lost_until_ns)
        whole = drilled.probe.summary(kind, connection, since_ns=drilled.since_ns, until_ns=end_ns)
        at_ns = drilled.fault_ns
        self._add(f"failover.{kind}_outage", labels, lost.outage_ms, at_ns)
        if drilled.fault.undo and drilled.members > 1:  # alone, the outage lasts until the return and beyond
            back = drilled.probe.summary(kind, connection, since_ns=drilled.returned_ns, until_ns=end_ns)
            self._add("failover.return_outage", labels | {"kind": kind}, back.outage_ms, drilled.returned_ns)
        labels = labels | {"kind": kind}
        self._add("failover.degraded_window", labels, whole.degraded_ms, at_ns)
        self._add("failover.failed", labels, whole.failed, at_ns)
        self._add("failover.unknown", labels, whole.unknown, at_ns)
        self._add("failover.total", labels, whole.total, at_ns)
        if whole.worst_latency_ms is not None:
            self._add("failover.worst_latency", labels, whole.worst_latency_ms, at_ns)

    def _at_the_fault(self, drilled: Drilled, connection: Reuse) -> None:
        labels = drilled.fault.labels | {"connection": connection}
        requests = np.concatenate([drilled.probe.stream(kind, connection) for kind in KINDS])
        flying = in_flight(requests, since_ns=drilled.since_ns, until_ns=drilled.sure_ns)
        later = started_after(requests, drilled.sure_ns)
        self._add("failover.in_flight", labels, len(flying), drilled.fault_ns)
        self._add("failover.in_flight_failed", labels, _bad(flying), drilled.fault_ns)
        self._add("failover.failed_after_fault", labels, _bad(later), drilled.fault_ns)

    def _whole(self, drilled: Drilled) -> None:
        labels, probe, at_ns = drilled.fault.labels, drilled.probe, drilled.fault_ns
        from_ns = drilled.returned_ns if drilled.fault.undo else drilled.fault_ns
        self._add("failover.member_back", labels, (drilled.back_ns - from_ns) / 1e6, drilled.back_ns)
        self._add("failover.acknowledged", labels, probe.acknowledged, at_ns)
        self._add("failover.lost", labels, len(probe.lost), at_ns)
        moved_ns = _moved_ns(drilled)
        if moved_ns is not None:
            self._add("failover.virtual_ip_moved", labels, (moved_ns - drilled.since_ns) / 1e6, moved_ns)
        if probe.watch is not None:
            during = probe.watch.arrived_ns >= drilled.since_ns
            series = self._series("failover.watch_latency", labels, repetition=False)
            series.add_many(probe.watch.latency_ms[during], probe.watch.arrived_ns[during])
            self._add("failover.watch_connections", labels, probe.watch.connections, at_ns)
        self._add("measure.probe_cpu_share", labels, probe.overhead.cpu_share, at_ns)
        self._add("measure.probe_lag_p99", labels, probe.overhead.lag_p99_ms, at_ns)
        self._add("measure.observer_cpu_share", labels, drilled.observer_cpu_share, at_ns)

    def _add(self, name: str, labels: Mapping[str, str], value: float, at_ns: int) -> None:
        self._series(name, labels).add(value, at_ns)

    def _series(self, name: str, labels: Mapping[str, str], *, repetition: bool = True) -> Series:
        unit, better, definition = DEFINITIONS[name]
        return self._run.series(
            name, unit=unit, better=better, labels=labels, definition=definition, repetition=repetition,
            headline=name == HEADLINE and labels["connection"] == "new",
            chance=[key for key in BY_CHANCE if key in labels],
        )  # fmt: skip


def _takings(drilled: Drilled) -> list[tuple[int, str, bool]]:
    """When which host took (or left) the virtual IP; who held it from the beginning took it then."""
    first = drilled.held[0]
    found = [(first.since_ns, host, True) for host in sorted(first.owners)]
    for former, holding in pairwise(drilled.held):
        found += [(holding.since_ns, host, True) for host in sorted(holding.owners - former.owners)]
        found += [(holding.since_ns, host, False) for host in sorted(former.owners - holding.owners)]
    return found


def _moved_ns(drilled: Drilled) -> int | None:
    """When another host took the virtual IP, if one did."""
    others = (at_ns for at_ns, host, took in _takings(drilled) if took and host != drilled.fault.host)
    return next((at_ns for at_ns in others if at_ns > drilled.since_ns), None)


def _bad(requests: Requests) -> int:
    return int((requests["outcome"] != Outcome.OK).sum())


def _bounded(drilled: Drilled) -> BoundedFault:
    return cast(BoundedFault, drilled.fault.labels["fault"])
