"""What a check of hosts came to, for a terminal or a log: what is not sound as a table, what is sound as a number."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from tabulate import tabulate

from .document import Document, FindingRow

HEADS = ("", "check", "where", "minimal", "recommended", "found")
WIDTHS = (None, 34, 20, 16, 22, 36)
SHOWN_SUBJECTS = 4


def render(document: Document) -> str:
    """Errors first, then warnings, then notes; one row for all hosts of which the same was found."""
    titles = {check.id: check.title for check in document.checks}
    groups = list(_alike(document))
    parts = []
    if groups:
        rows = [_row(rows, titles[rows[0].check]) for rows in groups]
        parts += [tabulate(rows, headers=HEADS, tablefmt="simple", disable_numparse=True, maxcolwidths=list(WIDTHS))]
        parts += ["", "What to do:", *(_remedy(rows) for rows in groups if rows[0].remedy)]
    parts += [f"changed on {one.host}: {one.what}" + (f": failed: {one.trouble}" if one.trouble else "")
              for one in document.changed]  # fmt: skip
    return "\n".join([*parts, "", summary(document)])


def summary(document: Document) -> str:
    """``98 checks on 5 hosts in 3.1 s: 80 sound, 2 with errors, 5 with warnings, 1 with notes, 10 not judged``."""
    counts = Counter(check.level for check in document.checks)
    said = [f"{counts['sound']} sound"]
    said += [f"{counts[level]} with {level}s" for level in ("error", "warning", "note") if counts[level]]
    said += [f"{counts['not judged']} not judged"] if counts["not judged"] else []
    return (
        f"{len(document.checks)} checks on {len(document.hosts)} hosts in {document.seconds:.1f} s: {', '.join(said)}"
    )


def _alike(document: Document) -> Iterator[list[FindingRow]]:
    """Findings that are not sound, those that differ in nothing but their subject together."""
    together: dict[tuple[str, ...], list[FindingRow]] = {}
    for row in document.findings:
        if row.level != "sound":
            together.setdefault((row.level, row.check, row.found, row.wanted, row.remedy), []).append(row)
    yield from together.values()


def _row(rows: list[FindingRow], title: str) -> tuple[str, ...]:
    one = rows[0]
    return one.level, f"{one.check} {title}", _subjects(rows), one.minimal, one.wanted, one.found


def _subjects(rows: list[FindingRow]) -> str:
    names = [row.subject for row in rows]
    if len(names) > SHOWN_SUBJECTS:
        return f"{', '.join(names[: SHOWN_SUBJECTS - 1])} and {len(names) - SHOWN_SUBJECTS + 1} more"
    return ", ".join(names)


def _remedy(rows: list[FindingRow]) -> str:
    one = rows[0]
    text = f"{one.check} {_subjects(rows)}: {one.remedy}" + (" (--fix does it)" if one.fix else "")
    lines = textwrap.wrap(text, width=114, break_long_words=False, break_on_hyphens=False)
    return "  " + "\n    ".join(lines)
