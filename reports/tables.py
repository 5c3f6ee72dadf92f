"""The tables that the terminal and Markdown share: heads and rows of plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import checklist
from .faultrows import Row, labels_text
from .figures import NOTHING, figure, spread
from .model import Measured, Report


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the heads of the columns, and rows as long as those; ``right`` are the columns set right."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()

    @property
    def alignment(self) -> tuple[str, ...]:
        return tuple("right" if column in self.right else "left" for column in range(len(self.heads)))


def fault_table(report: Report) -> Table:
    """Every kind of request through every fault, beside the bound."""
    rows = tuple(
        (
            figures.fault.title if not index else "",
            f"{row.kind}s, {row.connection}{f', {row.variant}' if row.variant else ''}",
            figure(row.median_ms, "ms"),
            spread(min(row.outages_ms), max(row.outages_ms), "ms"),
            str(len(row.outages_ms)),
            _bound(row),
            _of(row),
        )
        for figures in report.faults
        for index, row in enumerate(figures.rows)
    )
    heads = ("fault", "requests", "outage p50", "min – max", "n", "bound", "failed, unknown / all")
    return Table("Faults", heads, rows, frozenset({2, 3, 4, 5, 6}))


def metric_table(title: str, measured: Sequence[Measured]) -> Table:
    """Metrics with the figures that their number of values carries."""
    rows = tuple(
        (
            it.metric.name + (f" ({labels_text(it.metric.labels)})" if it.metric.labels else ""),
            figure(it.metric.n, "1"),
            *(figure(getattr(it.metric, name), it.metric.unit) for name in ("min", "p50", "p95", "p99", "max")),
        )
        for it in measured
    )
    return Table(title, ("metric", "n", "min", "p50", "p95", "p99", "max"), rows, frozenset(range(1, 7)))


def proof_table(report: Report) -> Table:
    """What the checks prove."""
    rows = tuple((it.part, str(it.passed), str(it.total), str(it.negative)) for it in report.proofs)
    return Table("Checks", ("what it proves", "passed", "of", "refusals"), rows, frozenset({1, 2, 3}))


def check_table(report: Report) -> Table:
    """Every check."""
    rows = tuple(
        (check.outcome, checklist.title(check), check.proves, "refusal" if check.negative else "", check.reason)
        for area in report.areas
        for check in area.checks
    )
    return Table("All checks", ("outcome", "check", "proves", "kind", "reason"), rows)


def _bound(row: Row) -> str:
    if row.bound is None:
        return NOTHING
    return figure(row.bound.value_ms, "ms") + ("" if row.within_bound else " exceeded")


def _of(row: Row) -> str:
    return NOTHING if row.total is None else f"{row.failed}, {row.unknown} / {row.total}"
