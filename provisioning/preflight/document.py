"""What a check of hosts came to, as ``idcbench check --json`` prints it; docs/preflight.schema.json describes it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .checking import Checked
from .finding import LEVELS, Level, Severity

SCHEMA = 1
"""Raised when a reader of the former number would misread it; a new field does not count."""


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """A check that was run. ``findings`` is how many subjects it judged, ``level`` the gravest level among them.

    ``not judged``: it concerns none of the hosts, or what it would judge is not known.
    """

    id: str
    group: str
    title: str
    severity: Severity
    why: str
    level: Level | Literal["not judged"]
    findings: int


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A judgement on one subject: a host, ``cp1 → cp2``, or ``cluster``.

    ``wanted`` is what is recommended, ``minimal`` below what nothing works (empty: the same). ``fix`` is what
    ``--fix`` would change; empty when there is nothing that does no harm.
    """

    check: str
    subject: str
    level: Level
    found: str
    wanted: str
    minimal: str = ""
    remedy: str = ""
    fix: str = ""


class ChangedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--fix`` changed; ``trouble`` is why it did not work, empty when it did."""

    host: str
    what: str
    trouble: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. ``sound`` when there is no error; ``findings`` are the gravest first, then by check."""

    schema: int = SCHEMA
    cluster: str
    kubernetes: str
    hosts: tuple[str, ...]
    started: str
    seconds: float
    sound: bool
    checks: tuple[CheckRow, ...]
    findings: tuple[FindingRow, ...]
    changed: tuple[ChangedRow, ...] = ()


def document_of(checked: Checked) -> Document:
    """The same as plain records."""
    rows = [
        FindingRow(
            check=one.check, subject=one.subject, level=one.level, found=one.found, wanted=one.wanted,
            minimal=one.minimal, remedy=one.remedy, fix=one.fix.what if one.fix else "",
        )
        for one in checked.findings
    ]  # fmt: skip
    return Document(
        cluster=checked.inventory.name,
        kubernetes=checked.inventory.kubernetes,
        hosts=tuple(host.name for host in checked.inventory.hosts),
        started=checked.started.isoformat(timespec="seconds"),
        seconds=round(checked.seconds, 2),
        sound=checked.sound,
        checks=tuple(_rows(checked)),
        findings=tuple(sorted(rows, key=lambda row: (LEVELS.index(row.level), row.check))),
        changed=tuple(ChangedRow(host=one.host, what=one.what, trouble=one.trouble) for one in checked.changed),
    )


def _rows(checked: Checked) -> list[CheckRow]:
    of: dict[str, list[Level]] = {check.id: [] for check in checked.checks}
    for finding in checked.findings:
        of[finding.check].append(finding.level)
    return [
        CheckRow(
            id=check.id,
            group=check.group,
            title=check.title,
            severity=check.severity,
            why=check.why,
            level=min(of[check.id], key=LEVELS.index) if of[check.id] else "not judged",
            findings=len(of[check.id]),
        )
        for check in checked.checks
    ]


def encode(document: Document) -> bytes:
    """As it is written."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12."""
    return msgspec.json.schema(Document)
