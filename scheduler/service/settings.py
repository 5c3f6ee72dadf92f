"""What the loops of the service are told; read from files and options elsewhere, checked here."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSettings:
    """Leader election by a ``coordination.k8s.io/v1`` Lease, compatible with client-go's.

    The three times are those of ``--profile`` (15/10/2 s by default, 5/4/1 s with ``fast``).
    """

    identity: str
    """Who we are in the Lease; differs between any two processes (client-go: ``HOSTNAME_UUID``)."""
    namespace: str = "kube-system"
    name: str = "kube-scheduler"
    duration_s: float = 15.0
    """For so long after it last saw the Lease change, no stand-by takes it. Written as whole seconds."""
    renew_deadline_s: float = 10.0
    """A leader that could not renew for so long stops being one."""
    retry_s: float = 2.0
    """Between two renewals, and between two looks of a stand-by that does not hear of changes by its watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """When a pod that got no node is tried again; the defaults are kube-scheduler's."""

    backoff_first_s: float = 1.0
    """``podInitialBackoffSeconds``; doubles with each attempt."""
    backoff_most_s: float = 10.0
    """``podMaxBackoffSeconds``."""
    unschedulable_most_s: float = 300.0
    """A pod that no event helped is tried again after so long (``--pod-max-in-unschedulable-pods-duration``)."""
    gang_patience_s: float = 300.0
    """A gang whose members are not all there is told so, by condition and event, after so long; it goes on waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSettings:
    """How bindings, status and events go to the API."""

    connections: int = 64
    """Connections over all API servers together, for bindings, status and events."""
    request_limit_s: float = 5.0
    """No write lasts longer, here or at the server. The Lease must outlast it: ``duration_s - retry_s`` is the most."""
    claim_limit_s: float = 600.0
    """How long the claims of a placed pod may take to be Bound (``bindTimeoutSeconds`` of VolumeBinding)."""
    events_most: int = 200_000
    """Events waiting to be written at the most; one more is dropped, counted and logged."""
    event_tries: int = 12
    """An event that the API server would not take is tried so often (client-go's recorder does 12) and then dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleSettings:
    """How much is decided at a time. A batch ends at whichever bound comes first."""

    batch_pods: int = 64
    """At most so many pods are decided in one call."""
    batch_s: float = 0.010
    """Aimed at: batches shrink while they take longer, so that the event loop never stalls for 20 ms."""
    decided_ahead: int = 128
    """Placed pods whose binding has not been answered; deciding waits while there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """The watches that keep the engine informed."""

    idle_s: float = 75.0
    """A stream silent for so long is given up; API servers send a bookmark every 60 s."""
    give_up_s: float = 3600.0
    """Without any server for so long, the service ends with an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Everything that :class:`SchedulerService` is told. Raises ``ValueError`` when the times exclude one another."""

    scheduler_names: tuple[str, ...] = ("default-scheduler",)
    """The ``spec.schedulerName`` of the pods that are served; each is a profile in the metrics."""
    lease: LeaseSettings | None = None
    """``None``: no election; there is one process and nobody else schedules these pods."""
    queue: QueueSettings = field(default_factory=QueueSettings)
    write: WriteSettings = field(default_factory=WriteSettings)
    cycle: CycleSettings = field(default_factory=CycleSettings)
    feed: FeedSettings = field(default_factory=FeedSettings)
    journal: int = 10_000
    """So many decisions are kept for ``explain``."""

    def __post_init__(self) -> None:
        lease = self.lease
        if not self.scheduler_names or not all(self.scheduler_names):
            raise ValueError("scheduler_names: wanted at least one non-empty name")
        if lease is None:
            return
        if not lease.duration_s > lease.renew_deadline_s > lease.retry_s > 0:
            raise ValueError(
                f"lease: wanted duration > renew deadline > retry > 0, found "
                f"{lease.duration_s:g}, {lease.renew_deadline_s:g} and {lease.retry_s:g} s"
            )
        if self.write.request_limit_s >= lease.duration_s - lease.retry_s:
            raise ValueError(
                f"write.request_limit_s: wanted less than the {lease.duration_s - lease.retry_s:g} s that a lease of "
                f"{lease.duration_s:g} s renewed every {lease.retry_s:g} s always has left, found "
                f"{self.write.request_limit_s:g} s; nothing could ever be bound"
            )
