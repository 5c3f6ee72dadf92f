"""What the service tells of its work while it works (:class:`Measures`), and what it can be asked (:class:`Gauges`).

Durations are seconds. Labels have kube-scheduler's values, so that an implementation can hand them on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Result = Literal["scheduled", "unschedulable", "error"]
QueueName = Literal["active", "backoff", "unschedulable", "gated", "incomplete"]
"""``incomplete``: members of a gang of which not enough are there."""
BindingOutcome = Literal["bound", "conflict", "gone", "refused", "failed", "fenced"]
"""``conflict``: bound elsewhere already; ``gone``: pod or node deleted; ``fenced``: not sent: lease too short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """The state at this moment, to be asked for at a scrape (``SchedulerService.gauges()``)."""

    pending: Mapping[QueueName, int]
    """Pods by queue, all five names always there (``pending_pods``)."""
    pending_gangs: Mapping[QueueName, int]
    """Gangs by queue (``queued_entities``, type ``podgroup``)."""
    unschedulable: Mapping[tuple[str, str], int]
    """Pods by the plugin that refused them and the profile (``unschedulable_pods``)."""
    cached_nodes: int
    cached_pods: int
    """Pods with a node, assumed ones included (``cache_size``)."""
    assumed_pods: int
    bindings_in_flight: int
    """As ``goroutines{operation="binding"}``."""
    events_waiting: int
    leader: bool
    """True also without election (``leader_election_master_status``)."""


class Measures(Protocol):
    """A sink for counters and observations; called in the event loop, so it must not block or raise."""

    def attempt(self, result: Result, *, profile: str, duration_s: float) -> None:
        """An attempt ended: popped from the queue → bound, or refused (``scheduling_attempt_duration_seconds``)."""

    def algorithm(self, *, pods: int, duration_s: float) -> None:
        """The engine decided a batch of so many pods in this time, all together."""

    def extension_point(self, point: str, *, status: str, profile: str, duration_s: float) -> None:
        """``Bind``, ``PreBind`` or ``PostFilter`` of one pod, with kube-scheduler's status."""

    def pod_scheduled(self, *, attempts: int, latency_s: float, after_flush: bool) -> None:
        """A pod was bound: its attempts, the time since it first entered the queue, whether the 5 min flush helped."""

    def queue_incoming(self, queue: QueueName, event: str) -> None:
        """A pod came into a queue, and why (``PodAdd``, ``ScheduleAttemptFailure``, ``AssignedPodDelete``, …)."""

    def binding(self, outcome: BindingOutcome, *, duration_s: float) -> None:
        """A binding was settled; lost replies that were asked after included."""

    def preemption_attempt(self) -> None:
        """The engine was asked for victims."""

    def preemption(self, *, victims: int, violations: int) -> None:
        """So many victims are being deleted, with so many disruption budgets violated."""

    def gang_waited(self, *, result: Literal["success", "unschedulable", "timeout"], duration_s: float) -> None:
        """How long a gang waited until it was decided, or to be told that it is incomplete."""

    def event_written(self, reason: str) -> None:
        """The API server took an event (``Scheduled``, ``FailedScheduling``, ``Preempted``)."""

    def event_dropped(self, reason: str, *, why: Literal["full", "refused", "namespace-gone"]) -> None:
        """An event is lost; also logged."""

    def request(self, verb: str, *, status: int, duration_s: float) -> None:
        """A request of the writer ended; status 0 when no answer came (``rest_client_requests_total``)."""

    def leading(self, leader: bool) -> None:
        """The lease was won or lost."""


@dataclass(slots=True)
class Tally:
    """The least a sink can do: it counts, by method and first word. For tests and for running without metrics."""

    counts: dict[str, int] = field(default_factory=dict)

    def attempt(self, result: Result, *, profile: str, duration_s: float) -> None:  # noqa: ARG002
        self._count(f"attempt {result}")

    def algorithm(self, *, pods: int, duration_s: float) -> None:  # noqa: ARG002
        self._count("algorithm", pods)

    def extension_point(self, point: str, *, status: str, profile: str, duration_s: float) -> None:  # noqa: ARG002
        self._count(f"point {point} {status}")

    def pod_scheduled(self, *, attempts: int, latency_s: float, after_flush: bool) -> None:  # noqa: ARG002
        self._count("pod_scheduled")

    def queue_incoming(self, queue: QueueName, event: str) -> None:
        self._count(f"incoming {queue} {event}")

    def binding(self, outcome: BindingOutcome, *, duration_s: float) -> None:  # noqa: ARG002
        self._count(f"binding {outcome}")

    def preemption_attempt(self) -> None:
        self._count("preemption_attempt")

    def preemption(self, *, victims: int, violations: int) -> None:
        self._count("victims", victims)
        self._count("violations", violations)

    def gang_waited(self, *, result: Literal["success", "unschedulable", "timeout"], duration_s: float) -> None:  # noqa: ARG002
        self._count(f"gang {result}")

    def event_written(self, reason: str) -> None:
        self._count(f"event {reason}")

    def event_dropped(self, reason: str, *, why: Literal["full", "refused", "namespace-gone"]) -> None:
        self._count(f"dropped {reason} {why}")

    def request(self, verb: str, *, status: int, duration_s: float) -> None:  # noqa: ARG002
        self._count(f"request {verb} {status}")

    def leading(self, leader: bool) -> None:
        self._count(f"leading {leader}")

    def _count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by
