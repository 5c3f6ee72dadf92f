"""A fault in figures: for each kind of request and connection how long it was out, beside what may be."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from idcbench.runs.probelog import CONNECTIONS, KINDS
from idcbench.runs.schema import Metric
from idcbench.runs.series import read_series

from .faults import Bound, Fault, Repetition
from .figures import in_ms
from .outages import Stream

OUTAGES = {f"failover.{kind}_outage": kind for kind in KINDS}
IN_ROWS = {
    f"failover.{name}" for name in ("failed", "unknown", "total", "degraded_window", "worst_latency", "return_outage")
}
"""Metrics that a row has a column for."""
Key = tuple[str, tuple[tuple[str, str], ...]]
"""A metric's name and labels."""
VARIANTS = {
    ("vip_and_leader", "yes"): "also held the etcd leader",
    ("vip_and_leader", "no"): "",
    ("fault", "none"): "before the first fault",
}
"""How some labels are said; others as ``key=value``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of request on one sort of connection through all repetitions of a fault; durations in ms.

    ``outages_ms`` has a value per repetition; ``failed``, ``unknown`` and ``total`` are sums, ``degraded_ms``,
    ``worst_ms`` and ``return_ms`` (the outage while what was lost comes back) the largest; ``None`` where not measured.
    """

    kind: str
    connection: str
    variant: str
    outages_ms: tuple[float, ...]
    bound: Bound | None
    failed: int | None
    unknown: int | None
    total: int | None
    degraded_ms: float | None
    worst_ms: float | None
    return_ms: float | None
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
        """What the fault comes down to: writes on new connections, or the next best thing, all variants together."""
        chosen = [
            row for row in self.rows if (row.kind, row.connection) == (self.rows[0].kind, self.rows[0].connection)
        ]
        if not chosen:
            return None
        bounds = [row.bound for row in chosen if row.bound]
        return replace(
            chosen[0],
            variant="",
            outages_ms=tuple(value for row in chosen for value in row.outages_ms),
            bound=max(bounds, key=lambda bound: bound.value_ms, default=None),
        )

    @property
    def returns(self) -> bool:
        """Whether an outage was measured while what was lost came back."""
        return any(row.return_ms is not None for row in self.rows)


def figures_of(run: Path, faults: Sequence[Fault], metrics: Sequence[Metric]) -> tuple[FaultFigures, ...]:
    """Every fault that left a probe log or a metric. Raises :class:`~idcbench.errors.RunError`."""
    logged = {fault.name: fault for fault in faults}
    measured: dict[str, list[Metric]] = {}
    for metric in metrics:
        if metric.name.startswith("failover.") and "fault" in metric.labels and metric.n:
            measured.setdefault(_fault_name(metric, logged), []).append(metric)
    return tuple(
        _figures(run, logged.get(name) or Fault(name=name, repetitions=(), bounds=()), measured.get(name, []))
        for name in dict.fromkeys([*logged, *measured])
    )


def _fault_name(metric: Metric, logged: Container[str]) -> str:
    """The fault that a metric belongs to: its label, with the ``way`` of it where that has logs of its own."""
    fault = metric.labels["fault"]
    with_way = f"{fault}-{metric.labels.get('way', '')}"
    return with_way if with_way in logged else fault


def _figures(run: Path, fault: Fault, metrics: Sequence[Metric]) -> FaultFigures:
    values = {_key(metric.name, metric.labels): _values(run, metric) for metric in metrics}
    rows = [_measured(fault, metric, values) for metric in metrics if metric.name in OUTAGES] or list(_logged(fault))
    return FaultFigures(
        fault=fault,
        rows=tuple(sorted(rows, key=lambda row: (row.kind != "write", row.connection != "new", row.variant))),
        beside=tuple(metric for metric in metrics if metric.name not in OUTAGES.keys() | IN_ROWS),
    )


def _key(name: str, labels: Mapping[str, str]) -> Key:
    return name, tuple(sorted(labels.items()))


def _values(run: Path, metric: Metric) -> list[float]:
    """All values of a metric; durations in ms."""
    raw = [float(value) for value in read_series(run / metric.samples)[1]["value"]]
    return [value if (ms := in_ms(value, metric.unit)) is None else ms for value in raw]


def _measured(fault: Fault, metric: Metric, values: Mapping[Key, list[float]]) -> Row:
    """A row from the series that have the same labels as the outage; what they lack, from the probe logs."""
    kind, connection = OUTAGES[metric.name], metric.labels.get("connection", CONNECTIONS[0])
    variant = variant_text(metric.labels)

    def of(name: str) -> list[float]:
        return values.get(_key(f"failover.{name}", metric.labels | {"kind": kind}), [])

    outages = tuple(values[_key(metric.name, metric.labels)])
    found = _streams_of(fault.repetitions, kind, connection)
    row = _from_streams(fault, kind, connection, found if len(found) == len(outages) else [], metric.labels)
    return replace(
        row,
        variant=variant,
        outages_ms=outages,
        failed=_total(of("failed"), row.failed),
        unknown=_total(of("unknown"), row.unknown),
        total=_total(of("total"), row.total),
        degraded_ms=max(of("degraded_window"), default=row.degraded_ms),
        worst_ms=max(of("worst_latency"), default=row.worst_ms),
        return_ms=max(of("return_outage"), default=None),
        interval_ms=max((stream.interval_ms for stream in found), default=0.0),
    )


def _logged(fault: Fault) -> Iterator[Row]:
    """Rows from the logs alone, of a run that was cut off before its series were written."""
    for kind in KINDS:
        for connection in CONNECTIONS:
            if found := _streams_of(fault.repetitions, kind, connection):
                yield _from_streams(fault, kind, connection, found, {})


def _from_streams(fault: Fault, kind: str, connection: str, found: Sequence[Stream], labels: Mapping[str, str]) -> Row:
    return Row(
        kind=kind,
        connection=connection,
        variant="",
        outages_ms=tuple(stream.outage.outage_ms if stream.outage else 0.0 for stream in found),
        bound=fault.bound(kind, connection, labels),
        failed=sum(stream.failed for stream in found) if found else None,
        unknown=sum(stream.unknown for stream in found) if found else None,
        total=sum(stream.total for stream in found) if found else None,
        degraded_ms=max((stream.degraded_ms for stream in found), default=None),
        worst_ms=max((stream.worst_ms for stream in found), default=None),
        return_ms=None,
        deadline_ms=next((it.deadline_ms for it in fault.repetitions if it.deadline_ms), None),
        interval_ms=max((stream.interval_ms for stream in found), default=0.0),
    )


def _total(values: Sequence[float], otherwise: int | None) -> int | None:
    return round(sum(values)) if values else otherwise


def _streams_of(repetitions: Sequence[Repetition], kind: str, connection: str) -> list[Stream]:
    return [stream for repetition in repetitions if (stream := repetition.stream(kind, connection))]


def variant_text(labels: Mapping[str, str]) -> str:
    """What sets a metric apart beyond its fault, way, kind and connection, in words."""
    others = {key: value for key, value in labels.items() if key not in ("fault", "way", "kind", "connection")}
    return ", ".join(filter(None, (VARIANTS.get(pair, "=".join(pair)) for pair in others.items())))


def labels_text(labels: Mapping[str, str]) -> str:
    """``fault=host-loss, connection=new``, or in words where a pair has some."""
    return ", ".join(filter(None, (VARIANTS.get(pair, "=".join(pair)) for pair in labels.items())))
