"""A fault in figures: for each kind of request and connection how long it was out, beside what may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from idcbench.runs.probelog import CONNECTIONS, KINDS
from idcbench.runs.schema import Metric
from idcbench.runs.series import read_series

from .faults import Bound, Fault, Repetition
from .figures import in_ms
from .outages import Stream

OUTAGES = {f"failover.{kind}_outage": kind for kind in KINDS}
FROM_LOGS = {
    "failover.failed",
    "failover.unknown",
    "failover.total",
    "failover.worst_latency",
    "failover.degraded_window",
}
"""Metrics whose values the rows show already, taken from the probe logs that they were computed from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of request on one sort of connection through all repetitions of a fault; durations in ms.

    ``outages_ms`` has a value per repetition. What only the probe logs know is ``None`` where there is none.
    ``variant`` are the labels beyond fault and connection.
    """

    kind: str
    connection: str
    variant: str
    outages_ms: tuple[float, ...]
    metric: Metric | None
    bound: Bound | None
    failed: int | None
    unknown: int | None
    total: int | None
    degraded_ms: float | None
    worst_ms: float | None
    interval_ms: float
    deadline_ms: float | None

    @property
    def missed(self) -> bool:
        """Whether a request missed its deadline, so that the worst latency is only the least that it was."""
        return None not in (self.worst_ms, self.deadline_ms) and (self.worst_ms or 0) >= 0.999 * (self.deadline_ms or 0)

    @property
    def noticed(self) -> bool:
        """Whether any outage is longer than the probe's own rhythm."""
        return max(self.outages_ms) > self.interval_ms

    @property
    def median_ms(self) -> float:
        return float(np.median(self.outages_ms))

    @property
    def within_bound(self) -> bool | None:
        return max(self.outages_ms) <= self.bound.value_ms if self.bound else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFigures:
    """A fault with its rows, writes before reads, and the metrics beside them (a member's return, …)."""

    fault: Fault
    rows: tuple[Row, ...]
    beside: tuple[Metric, ...]

    @property
    def longest_ms(self) -> float:
        """Where the axis that all rows share ends."""
        values = [value for row in self.rows for value in row.outages_ms]
        values += [row.bound.value_ms for row in self.rows if row.bound]
        return max([*values, 100.0]) * 1.05

    @property
    def headline(self) -> Row | None:
        """What the fault comes down to: writes on new connections, or the next best thing measured."""
        order = [(kind, connection) for kind in ("write", "read") for connection in ("new", "reused")]
        return min(self.rows, key=lambda row: order.index((row.kind, row.connection)), default=None)


def figures_of(run: Path, faults: Sequence[Fault], metrics: Sequence[Metric]) -> tuple[FaultFigures, ...]:
    """Every fault that left a probe log or a metric. Raises :class:`~idcbench.errors.RunError`."""
    logged = {fault.name: fault for fault in faults}
    named = dict.fromkeys([*logged, *(metric.labels["fault"] for metric in metrics if "fault" in metric.labels)])
    return tuple(
        _figures(run, logged.get(name) or Fault(name=name, repetitions=(), bounds=()), metrics) for name in named
    )


def _figures(run: Path, fault: Fault, metrics: Sequence[Metric]) -> FaultFigures:
    own = [metric for metric in metrics if metric.labels.get("fault") == fault.name]
    measured = [_measured(run, fault, metric) for metric in own if metric.name in OUTAGES and metric.n]
    rows = measured or list(_logged(fault))
    hidden = OUTAGES.keys() | (FROM_LOGS if fault.repetitions else set())
    return FaultFigures(
        fault=fault,
        rows=tuple(sorted(rows, key=lambda row: (row.kind != "write", row.connection != "new", row.variant))),
        beside=tuple(metric for metric in own if metric.name not in hidden),
    )


def _measured(run: Path, fault: Fault, metric: Metric) -> Row:
    kind, connection = OUTAGES[metric.name], metric.labels.get("connection", CONNECTIONS[0])
    variant = ", ".join(value for key, value in sorted(metric.labels.items()) if key not in ("fault", "connection"))
    values = read_series(run / metric.samples)[1]["value"]
    outages = tuple(in_ms(float(value), metric.unit) or 0.0 for value in values)
    found = [] if variant else _streams_of(fault.repetitions, kind, connection)
    return _row(fault, kind, connection, variant, outages, metric, found)


def _logged(fault: Fault) -> Iterator[Row]:
    """Rows from the logs alone, of a run that was cut off before its series were written."""
    for kind in KINDS:
        for connection in CONNECTIONS:
            if found := _streams_of(fault.repetitions, kind, connection):
                outages = tuple(stream.outage.outage_ms if stream.outage else 0.0 for stream in found)
                yield _row(fault, kind, connection, "", outages, None, found)


def _row(
    fault: Fault,
    kind: str,
    connection: str,
    variant: str,
    outages_ms: tuple[float, ...],
    metric: Metric | None,
    found: Sequence[Stream],
) -> Row:
    return Row(
        kind=kind,
        connection=connection,
        variant=variant,
        outages_ms=outages_ms,
        metric=metric,
        bound=fault.bound(kind, connection),
        failed=sum(stream.failed for stream in found) if found else None,
        unknown=sum(stream.unknown for stream in found) if found else None,
        total=sum(stream.total for stream in found) if found else None,
        degraded_ms=max((stream.degraded_ms for stream in found), default=None),
        worst_ms=max((stream.worst_ms for stream in found), default=None),
        deadline_ms=next((it.deadline_ms for it in fault.repetitions if it.deadline_ms), None),
        interval_ms=max((stream.interval_ms for stream in found), default=0.0),
    )


def _streams_of(repetitions: Sequence[Repetition], kind: str, connection: str) -> list[Stream]:
    return [stream for repetition in repetitions if (stream := repetition.stream(kind, connection))]


def labels_text(labels: Mapping[str, str], *, without: Sequence[str] = ()) -> str:
    """``fault=host-loss, connection=new``."""
    return ", ".join(f"{key}={value}" for key, value in labels.items() if key not in without)
