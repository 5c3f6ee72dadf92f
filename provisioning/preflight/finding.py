"""What a check says of a host, of a pair of hosts, or of all together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
Level = Literal["error", "warning", "note", "sound"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note", "sound")
"""The gravest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change that does no harm: what it changes, and the script of POSIX sh that root runs on the host."""

    what: str
    script: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One judgement. ``wanted`` is what is recommended, ``minimal`` below what nothing works (empty: the same).

    ``level`` ``None`` stands for the severity of the check. ``remedy`` is empty when it is sound.
    """

    found: str
    wanted: str
    level: Level | None = None
    minimal: str = ""
    remedy: str = ""
    fix: Fix | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A judgement with the check that made it and what it is about: a host, ``cp1 → cp2``, or ``cluster``."""

    check: str
    subject: str
    level: Level
    found: str
    wanted: str
    minimal: str = ""
    remedy: str = ""
    fix: Fix | None = None


def sound(found: str, *, wanted: str, minimal: str = "") -> Judged:
    """As it should be."""
    return Judged(found=found, wanted=wanted, minimal=minimal, level="sound")


def judged(
    good: bool, found: str, *, wanted: str, remedy: str, level: Level | None = None, fix: Fix | None = None
) -> Judged:
    """Sound when ``good``; otherwise of ``level`` (``None``: the check's), with what to do."""
    if good:
        return sound(found, wanted=wanted)
    return Judged(found=found, wanted=wanted, level=level, remedy=remedy, fix=fix)


def at_least(value: float, *, minimal: float, recommended: float, unit: str, remedy: str, below: Severity) -> Judged:
    """Of the check's severity below ``minimal``, of level ``below`` under ``recommended``, sound from there on."""
    level: Level | None = "sound" if value >= recommended else below if value >= minimal else None
    return Judged(
        found=f"{value:.3g} {unit}",
        wanted=f"{recommended:g} {unit}",
        minimal=f"{minimal:g} {unit}",
        level=level,
        remedy="" if level == "sound" else remedy,
    )


def at_most(value: float, *, limit: float, recommended: float, unit: str, remedy: str, beyond: Severity) -> Judged:
    """Of the check's severity above ``limit``, of level ``beyond`` above ``recommended``, sound up to there."""
    level: Level | None = "sound" if value <= recommended else beyond if value <= limit else None
    return Judged(
        found=f"{value:.3g} {unit}",
        wanted=f"at most {recommended:g} {unit}",
        minimal=f"at most {limit:g} {unit}",
        level=level,
        remedy="" if level == "sound" else remedy,
    )


def alike(values: Mapping[str, str], *, wanted: str, remedy: str) -> Judged:
    """Sound when all hosts have the same value."""
    return judged(len(set(values.values())) < 2, listed(values), wanted=wanted, remedy=remedy)


def different(values: Mapping[str, str], *, wanted: str, remedy: str) -> Judged:
    """Sound when no two hosts share a value; empty values are not compared."""
    owners: dict[str, list[str]] = {}
    for name, value in values.items():
        if value:
            owners.setdefault(value, []).append(name)
    shared = [f"{' and '.join(names)}: {value}" for value, names in owners.items() if len(names) > 1]
    return judged(not shared, "; ".join(shared) or f"{len(owners)} different ones", wanted=wanted, remedy=remedy)


def listed(values: Mapping[str, str]) -> str:
    """``debian-12``, or ``debian-12 (cp1, cp2), debian-13 (w1)`` when they differ."""
    owners: dict[str, list[str]] = {}
    for name, value in values.items():
        owners.setdefault(value, []).append(name)
    if len(owners) == 1:
        return next(iter(owners)) or "nothing"
    return ", ".join(f"{value or 'nothing'} ({', '.join(names)})" for value, names in owners.items())
