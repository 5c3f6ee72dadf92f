"""A check of hosts as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .html import environment

Row = Mapping[str, Any]
_LEVELS = ("error", "warning", "note")
_COLOURS = {"error": "bad", "warning": "warn", "note": "muted", "sound": "good", "not judged": "muted"}
_SHOWN = 12
"""Subjects that are named before the rest is counted: a large inventory has hundreds of pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Findings of one check that differ in nothing but their subject."""

    level: str
    subjects: str
    minimal: str
    wanted: str
    found: str
    remedy: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A check with its lines, the gravest first."""

    check: Row
    lines: tuple[Line, ...]


def render_preflight(document: Mapping[str, Any]) -> str:
    """The whole page, of a document as ``docs/preflight.schema.json`` describes it, as plain values."""
    of: dict[str, list[Row]] = {check["id"]: [] for check in document["checks"]}
    for row in document["findings"]:
        of[row["check"]].append(row)
    sections = [Section(check=check, lines=_lines(of[check["id"]])) for check in document["checks"]]
    groups: dict[str, list[Section]] = {}
    for section in sections:
        groups.setdefault(section.check["group"], []).append(section)
    troubles = [section for level in _LEVELS for section in sections if section.check["level"] == level]
    counts = {level: sum(check["level"] == level for check in document["checks"]) for level in _COLOURS}
    return (
        environment()
        .get_template("preflight.html")
        .render(
            it=document,
            groups=groups,
            troubles=troubles,
            counts=counts,
            colour=_COLOURS.__getitem__,
            verdict="Fit" if document["sound"] else "Not fit",
            sentence=_sentence(document, counts),
        )
    )


def _lines(findings: Sequence[Row]) -> tuple[Line, ...]:
    together: dict[tuple[str, ...], list[Row]] = {}
    for row in findings:
        key = tuple(str(row[name]) for name in ("level", "minimal", "wanted", "found", "remedy"))
        together.setdefault(key, []).append(row)
    return tuple(_line(rows) for rows in together.values())


def _line(rows: Sequence[Row]) -> Line:
    names = [str(row["subject"]) for row in rows]
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    one = rows[0]
    return Line(
        level=one["level"],
        subjects=", ".join(names[:_SHOWN]) + rest,
        minimal=one["minimal"],
        wanted=one["wanted"],
        found=one["found"],
        remedy=one["remedy"],
        fix=one["fix"],
    )


def _sentence(document: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    hosts, checks = len(document["hosts"]), len(document["checks"])
    said = [f"{counts[level]} found {level}s" for level in _LEVELS if counts[level]]
    return f"{checks} checks of {hosts} hosts: {', '.join(said) or 'all sound'}."
