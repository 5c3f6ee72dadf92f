"""What the service tells of itself, as Prometheus metrics under kube-scheduler's names."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterator
from typing import Literal

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from ... import __version__
from . import metrics_families as families
from .measures import BindingOutcome, Gauges, QueueName, Result
from .metrics_families import Family
from .metrics_series import Counters, Histograms, filled, series_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_ATTEMPTS = 15
"""``15+`` in the label ``attempts`` (getAttemptsLabel in pkg/scheduler/schedule_one.go)."""
_LOG = logging.getLogger(__name__)


class ServiceMetrics(Collector):
    """Implements :class:`~.measures.Measures`; used in the event loop's thread, scraped there too.

    ``lease`` names the lease in ``leader_election_master_status``, ``host`` is the API server's in
    ``rest_client_requests_total``.
    """

    def __init__(self, *, lease: str = "kube-scheduler", host: str = "") -> None:
        self._lease, self._host = lease, host
        self._gauges: Callable[[], Gauges] | None = None
        self._attempts = Counters(families.SCHEDULE_ATTEMPTS)
        self._attempt_durations = Histograms(families.ATTEMPT_DURATION)
        self._algorithm = Histograms(families.ALGORITHM_DURATION)
        self._algorithm_cell = self._algorithm[()]
        self._points = Histograms(families.EXTENSION_POINT)
        self._sli = Histograms(families.SLI_DURATION)
        self._tries = Histograms(families.SCHEDULING_ATTEMPTS)
        self._tries_cell = self._tries[()]
        self._after_flush = Counters(families.AFTER_FLUSH)
        self._incoming = Counters(families.QUEUE_INCOMING)
        self._bindings = Counters(families.BINDINGS)
        self._binding_durations = Histograms(families.BINDING_DURATION)
        self._preemption_attempts = Counters(families.PREEMPTION_ATTEMPTS)
        self._victims = Histograms(families.VICTIMS)
        self._violations = Counters(families.PDB_VIOLATIONS)
        self._permit = Histograms(families.PERMIT_WAIT)
        self._events = Counters(families.EVENTS)
        self._dropped = Counters(families.EVENTS_DROPPED)
        self._requests = Counters(families.REQUESTS)
        self._misses = Counters(families.COMPILE_MISSES)
        self._leading = False
        self._labels = [str(attempts) for attempts in range(MOST_ATTEMPTS)]
        self._empty = [series_of(family) for family in families.OF_LIBRARIES]
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def ask(self, gauges: Callable[[], Gauges]) -> None:
        """Take the state of the moment from here, at each scrape. Before that there are no gauges."""
        self._gauges = gauges

    def text(self) -> bytes:
        """A scrape in the text format of Prometheus (``CONTENT_TYPE``)."""
        return generate_latest(self.registry)

    # --- Measures

    def attempt(self, result: Result, *, profile: str, duration_s: float) -> None:
        self._attempts[result, profile].value += 1
        self._attempt_durations[result, profile].observe(duration_s)

    def algorithm(self, *, pods: int, duration_s: float) -> None:
        if pods:
            self._algorithm_cell.observe(duration_s / pods, times=pods)

    def extension_point(self, point: str, *, status: str, profile: str, duration_s: float) -> None:
        self._points[point, status, profile].observe(duration_s)

    def pod_scheduled(self, *, attempts: int, latency_s: float, after_flush: bool) -> None:
        label = self._labels[attempts] if attempts < MOST_ATTEMPTS else f"{MOST_ATTEMPTS}+"
        self._sli[(label,)].observe(latency_s)
        self._tries_cell.observe(attempts)
        if after_flush:
            self._after_flush[()].value += 1

    def queue_incoming(self, queue: QueueName, event: str) -> None:
        self._incoming[queue, event].value += 1

    def binding(self, outcome: BindingOutcome, *, duration_s: float) -> None:
        self._bindings[(outcome,)].value += 1
        self._binding_durations[(outcome,)].observe(duration_s)

    def preemption_attempt(self) -> None:
        self._preemption_attempts[()].value += 1

    def preemption(self, *, victims: int, violations: int) -> None:
        self._victims[()].observe(victims)
        self._violations[("pod",)].value += violations

    def gang_waited(self, *, result: Literal["success", "unschedulable", "timeout"], duration_s: float) -> None:
        self._permit[(result,)].observe(duration_s)

    def event_written(self, reason: str) -> None:
        self._events[(reason,)].value += 1

    def event_dropped(self, reason: str, *, why: Literal["full", "refused", "namespace-gone"]) -> None:
        self._dropped[reason, why].value += 1

    def request(self, verb: str, *, status: int, duration_s: float) -> None:  # noqa: ARG002
        self._requests[str(status) if status else "<error>", verb, self._host].value += 1

    def leading(self, leader: bool) -> None:
        self._leading = leader

    def compile_miss(self, kernel: str) -> None:
        """A kernel was not in the cache."""
        self._misses[()].value += 1
        _LOG.warning("kernel compiled because it was not in the cache", extra={"kernel": kernel})

    # --- the scrape

    def collect(self) -> Iterator[Metric]:
        """All families, for the registry."""
        shown = list(self._counted())
        yield from shown
        gauges = list(self._asked(self._gauges())) if self._gauges else []
        yield from gauges
        yield filled(families.BUILD_INFO, [(_build_info(), 1)])
        yield filled(families.FEATURE, [])
        yield filled(families.REGISTERED, self._stabilities([*shown, *gauges]))

    def _counted(self) -> Iterator[Metric]:
        for series in (*vars(self).values(), *self._empty):
            if isinstance(series, Counters | Histograms):
                yield series.collect()
        yield filled(families.MASTER_STATUS, [((self._lease,), float(self._leading))])

    def _asked(self, now: Gauges) -> Iterator[Metric]:
        def show(family: Family, values: dict[tuple[str, ...], float]) -> Metric:
            return filled(family, values.items())

        yield show(families.PENDING, {(queue,): pods for queue, pods in now.pending.items()})
        yield show(families.QUEUED_ENTITIES, {(q, "podgroup"): gangs for q, gangs in now.pending_gangs.items()})
        yield show(families.GANGS, {(queue,): gangs for queue, gangs in now.pending_gangs.items()})
        yield show(families.UNSCHEDULABLE, {(plugin, name): pods for (plugin, name), pods in now.unschedulable.items()})
        yield show(
            families.CACHE_SIZE,
            {("nodes",): now.cached_nodes, ("pods",): now.cached_pods, ("assumed_pods",): now.assumed_pods},
        )
        yield show(families.GOROUTINES, {("binding",): now.bindings_in_flight})
        yield show(families.EVENTS_WAITING, {(): now.events_waiting})
        yield show(families.WORKQUEUE_DEPTH, {("events",): now.events_waiting})
        yield show(families.LEADER, {(): float(now.leader)})

    def _stabilities(self, shown: list[Metric]) -> list[tuple[tuple[str, ...], float]]:
        return [
            ((level, ""), float(sum(metric.documentation.startswith(f"[{level}]") for metric in shown)))
            for level in ("STABLE", "BETA", "ALPHA")
        ]


def _build_info() -> tuple[str, ...]:
    major, minor, *_ = __version__.split(".")
    built = ("", "cpython", "", "", f"v{__version__}", platform.python_version(), major, minor)
    return (*built, f"{platform.system().lower()}/{platform.machine()}")
