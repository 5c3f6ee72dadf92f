"""What a probe log says about one fault: streams of requests, and where they stood still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from idcbench.measure.outage import longest_outage
from idcbench.runs.probelog import CONNECTIONS, KINDS, OUTCOMES

OK, FAILED, UNKNOWN = range(len(OUTCOMES))
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the last success before to the first success after, in s from the fault; longer than it by the interval.

    ``ended`` is false when no request succeeded until the log ends.
    """

    start_s: float
    end_s: float
    outage_ms: float
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """All requests of one kind on one sort of connection while a fault went on.

    ``planned_s`` counts from the fault; ``latency_ms`` from the planned start (open loop); ``outcome`` as in the probe
    log. ``outage`` is the longest time without a successful completion, less ``interval_ms``; ``None`` when that is
    shorter than ``interval_ms``, the stream's own rhythm. ``degraded_ms`` is from the first to the last planned start
    that failed.
    """

    kind: str
    connection: str
    interval_ms: float
    planned_s: Floats
    latency_ms: Floats
    outcome: npt.NDArray[np.uint8]
    outage: Span | None
    degraded_ms: float

    @property
    def total(self) -> int:
        return len(self.outcome)

    @property
    def failed(self) -> int:
        return int((self.outcome == FAILED).sum())

    @property
    def unknown(self) -> int:
        return int((self.outcome == UNKNOWN).sum())

    @property
    def worst_ms(self) -> float:
        return float(self.latency_ms.max())


def streams(requests: npt.NDArray[np.void], *, zero_ns: int) -> tuple[Stream, ...]:
    """The streams that a log holds, writes before reads, new connections before reused ones."""
    return tuple(_streams(requests, zero_ns))


def _streams(requests: npt.NDArray[np.void], zero_ns: int) -> Iterator[Stream]:
    for kind in reversed(range(len(KINDS))):
        for connection in reversed(range(len(CONNECTIONS))):
            chosen = requests[(requests["kind"] == kind) & (requests["connection"] == connection)]
            if len(chosen):
                yield _stream(chosen, zero_ns, KINDS[kind], CONNECTIONS[connection])


def _stream(requests: npt.NDArray[np.void], zero_ns: int, kind: str, connection: str) -> Stream:
    planned, completed, outcome = (np.array(requests[name]) for name in ("planned_ns", "completed_ns", "outcome"))
    interval_ms = float(np.median(np.diff(planned))) / 1e6 if len(planned) > 1 else 0.0
    bad = planned[outcome != OK]
    return Stream(
        kind=kind,
        connection=connection,
        interval_ms=interval_ms,
        planned_s=(planned - zero_ns) / 1e9,
        latency_ms=(completed - planned) / 1e6,
        outcome=outcome,
        outage=_longest(np.sort(completed[outcome == OK]), zero_ns, interval_ms, int(planned.max())),
        degraded_ms=float(bad.max() - bad.min()) / 1e6 if len(bad) else 0.0,
    )


def _longest(successes_ns: npt.NDArray[np.int64], zero_ns: int, interval_ms: float, until_ns: int) -> Span | None:
    outage = longest_outage(successes_ns, interval_ns=round(interval_ms * 1e6), until_ns=until_ns)
    if outage is None or outage.duration_ms <= interval_ms:
        return None
    return Span(
        start_s=(outage.started_ns - zero_ns) / 1e9,
        end_s=(outage.ended_ns - zero_ns) / 1e9,
        outage_ms=outage.duration_ms,
        ended=outage.ended,
    )
