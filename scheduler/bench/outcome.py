"""What one round gave, as it is kept in JSON."""

from __future__ import annotations

import msgspec


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One drain by one scheduler. Rates in pods/s, times as their names say; ``None``: too few pods to tell.

    ``pair`` numbers the rounds of a row: all schedulers have a round with the same number, in random order.
    """

    row: str
    arena: str
    scheduler: str
    pair: int
    pods: int
    bound: int
    wall_s: float
    """From the first binding to the later of the last binding and the last Scheduled event."""
    rate: float
    """Pods divided by ``wall_s``."""
    kube_average: float | None
    """The mean of samples of a second, as scheduler_perf takes it."""
    startup_s: float
    """From the start of the process to its first binding."""
    startup_cpu_s: float
    cpu_ms_per_pod: float
    """From the first binding to the last event, the start left out."""
    peak_memory_bytes: int
    events_written: int
    """Events created or patched, about whatever pod."""
    events_missing: int
    """Bound pods that had no Scheduled event 10 s after the last binding."""
    scheduled_late_s: float
    """The longest time from a pod's binding to its Scheduled event."""
    wait_p50_ms: float | None
    wait_p99_ms: float | None
    """Created → bound; a pod that was there before counts from the start of the scheduler's process."""
    decay: float | None
    """Rate of the last thousand pods divided by that of the first; one counts once it is bound and that was told."""
    cores: dict[str, float] = {}
    """Processor cores that each process kept busy from the first binding to the end; ``others`` should be idle."""
    refused: dict[str, int] = {}
    """What the API server refused, by verb, resource and status."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A ceiling on one number of connections."""

    connections: int
    pods: int
    rate: float
    cores: dict[str, float]
    """Processor cores that each process kept busy."""
    decay: float | None = None
    """Rate of the last thousand pods divided by that of the first: how the server itself slows down."""


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """What a lean client reaches: ``B`` bindings alone, ``BE`` binding and event, ``CBE`` creation before both.

    ``rate`` is the median of ``rounds``; without them that of the best step.
    """

    kind: str
    row: str
    arena: str
    rate: float
    bound_by: str
    steps: tuple[Step, ...]
    """A part of the pods on each number of connections."""
    rounds: tuple[Step, ...] = ()
    """All pods on the best number of connections, once beside each pair of rounds of the schedulers."""

    def beside(self, pair: int) -> float:
        """The rate measured beside the pair of that number."""
        return self.rounds[pair - 1].rate if pair <= len(self.rounds) else self.rate


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """Pods that come at a fixed rate, ``share`` of the CBE ceiling; latencies are created → bound."""

    row: str
    arena: str
    scheduler: str
    pair: int
    share: float
    rate: float
    pods: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    lag_p99_ms: float
    """How much later than planned the client began a creation: a client that is late measures itself."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one call, raw. ``scale`` is 1 for the sizes of scheduler_perf."""

    scale: float
    seed: int
    cores: int
    versions: dict[str, str]
    ceilings: tuple[Ceiling, ...] = ()
    rounds: tuple[Round, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    failures: tuple[str, ...] = ()
    """Rounds that failed, and why: a wrong placement, a scheduler that ended or got stuck."""
