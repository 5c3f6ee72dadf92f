"""The summary at the end of a run, for a terminal or a log."""

from __future__ import annotations

from tabulate import tabulate

from . import checklist
from .figures import figure
from .model import Report
from .tables import Table, fault_table, metric_table

_TROUBLE = 10


def render_terminal(report: Report) -> str:
    """Verdict, what failed, the faults and the measurements, in plain text without colours."""
    parts = [f"{report.verdict.word}: {report.document.id}. {report.verdict.sentence}"]
    parts += [f"  figures are invalid: {reason}" for reason in report.verdict.invalid_because]
    parts += [f"  {check.outcome}: {checklist.title(check)} ({check.nodeid})" for check in report.in_trouble[:_TROUBLE]]
    if len(report.in_trouble) > _TROUBLE:
        parts.append(f"  and {len(report.in_trouble) - _TROUBLE} more")
    parts += [f"  skipped {len(checks)}: {reason}" for reason, checks in report.skipped]
    if report.ready:
        parts.append(f"\nCluster ready: {figure(report.ready.p50, report.ready.unit)} ({report.size})")
    tables = [fault_table(report), metric_table("Measurements", [it for it in report.measured if it.metric.n > 1])]
    parts += [f"\n{render_table(table)}" for table in tables if table.rows]
    parts += [f"\n{caution}" if not index else caution for index, caution in enumerate(report.cautions)]
    return "\n".join(parts) + "\n"


def render_table(table: Table) -> str:
    """A table with its heads underlined."""
    return tabulate(table.rows, headers=table.heads, tablefmt="simple", colalign=table.alignment, disable_numparse=True)
