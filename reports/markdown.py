"""The report as Markdown (GitHub's tables), for a pull request or a wiki."""

from __future__ import annotations

from collections.abc import Iterator

from tabulate import tabulate

from . import checklist
from .charts import timeline_in_words
from .cluster_facts import Fact
from .figures import duration
from .model import Report
from .tables import Table, check_table, fault_table, metric_table, proof_table


def render_markdown(report: Report) -> str:
    """What the HTML report says, without its pictures; they are there in words."""
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: Report) -> Iterator[str]:
    yield f"# {report.verdict.word}: {report.document.id}"
    yield report.verdict.sentence
    if report.verdict.invalid_because:
        yield "**The figures of this run must not be used:**\n\n" + bullets(report.verdict.invalid_because)
    yield "## The cluster"
    yield bullets(_facts((*report.cluster, *report.timers))) or "No facts were recorded."
    if report.cautions:
        yield "What these results do not say:\n\n" + bullets(report.cautions)
    if report.faults:
        yield "## Faults"
        yield cells(fault_table(report))
        yield from _bounds(report)
        yield from _repetitions(report)
    if report.measured:
        yield "## Measurements"
        yield cells(metric_table("Measurements", report.measured))
    yield "## Checks"
    yield from _checks(report)
    yield "## How it was measured"
    if report.instruments:
        yield cells(metric_table("Instruments", report.instruments))
    yield bullets(_facts((*report.machine, *report.clocks)))
    yield bullets([f"`{name}`: {escaped(text)}" for name, text in report.definitions])


def _bounds(report: Report) -> Iterator[str]:
    said = [
        f"{figures.fault.title}, {bound.connection or 'all'} connections: at most {duration(bound.value_ms)}"
        f"{'. ' if bound.explanation else ''}{escaped(bound.explanation)}"
        for figures in report.faults
        for bound in figures.fault.bounds_told
    ]
    if said:
        yield "What the live timers allow:\n\n" + bullets(said)


def _repetitions(report: Report) -> Iterator[str]:
    for figures in report.faults:
        if worst := figures.fault.worst_first[:1]:
            yield f"{figures.fault.title}, repetition {worst[0].number}: {escaped(timeline_in_words(worst[0]))}"


def _checks(report: Report) -> Iterator[str]:
    for check in report.in_trouble:
        yield f"**{escaped(checklist.title(check))}** {check.outcome} (`{check.nodeid}`): {escaped(check.reason)}"
    for reason, checks in report.skipped:
        yield f"Skipped, {escaped(reason)}:\n\n" + bullets([escaped(checklist.title(check)) for check in checks])
    if report.document.checks:
        yield cells(proof_table(report))
        yield f"<details><summary>All checks</summary>\n\n{cells(check_table(report))}\n\n</details>"


def cells(table: Table) -> str:
    """The table as GitHub writes them."""
    rows = [tuple(escaped(cell) for cell in row) for row in table.rows]
    return tabulate(rows, headers=table.heads, tablefmt="github", colalign=table.alignment, disable_numparse=True)


def _facts(pairs: tuple[Fact, ...]) -> list[str]:
    return [f"{name}: {escaped(text)}" for name, text in pairs]


def bullets(lines: list[str] | tuple[str, ...]) -> str:
    """A line each."""
    return "\n".join(f"- {line}" for line in lines)


def escaped(text: str) -> str:
    """On one line, and with nothing that Markdown would take for a column, a tag or emphasis."""
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\|<>*_`[]" else letter for letter in flat)
