"""From pytest's reports to the checks in run.json."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ..runs.schema import Check, Outcome
from .marks import declared
from .packaged import PREFIX

EXCERPT = 4000
"""Characters of pytest's account of a failure that are kept; junit.xml has it whole."""


def describe(item: pytest.Item) -> dict[str, Any]:
    """What a report carries of its test, in values that xdist can send."""
    said = declared(item)
    doc = str(getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
    return {"title": doc.partition("\n")[0], "proves": said.proves, "negative": said.negative}


class Checks:
    """Gathers reports, in the controller those of all xdist workers, and gives one check per test."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._set_up_s: dict[str, float] = {}

    def add(self, report: pytest.TestReport) -> None:
        """Take the report of one phase: a failure outlives what comes after it, a skip outlives a passed teardown."""
        if report.when == "setup" and report.passed:  # no check yet: the test itself may be cut off
            self._set_up_s[report.nodeid] = report.duration
            return
        former = self._checks.get(report.nodeid)
        outcome = _outcome(report)
        if former is not None and _RANK[former.outcome] >= _RANK[outcome]:
            self._checks[report.nodeid] = _longer(former, report.duration)
            return
        about: dict[str, Any] = getattr(report, "idc", {})
        spent_s = former.duration_s if former else self._set_up_s.get(report.nodeid, 0.0)
        self._checks[report.nodeid] = Check(
            nodeid=report.nodeid,
            title=about.get("title", ""),
            suite=_suite(report.nodeid),
            proves=about.get("proves", ""),
            negative=about.get("negative", False),
            outcome=outcome,
            reason=_reason(report),
            duration_s=round(report.duration + spent_s, 6),
            longrepr=report.longreprtext[-EXCERPT:] if report.failed else "",
        )

    def outcome_of(self, nodeid: str) -> Outcome | None:
        """How that test ended; ``None`` when no report of it came."""
        check = self._checks.get(nodeid)
        return check.outcome if check else None

    def all(self) -> list[Check]:
        """The checks, in the order in which they ran."""
        return list(self._checks.values())


_RANK: dict[Outcome, int] = {"passed": 0, "skipped": 1, "error": 2, "failed": 3}


def _outcome(report: pytest.TestReport) -> Outcome:
    if report.failed:
        return "error" if report.when in ("setup", "teardown") else "failed"
    return "skipped" if report.skipped else "passed"


def _reason(report: pytest.TestReport) -> str:
    if report.skipped:
        if hasattr(report, "wasxfail"):
            return f"expected to fail: {report.wasxfail}"
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        return said.removeprefix("Skipped: ")
    if not report.failed:
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr).strip().partition("\n")[0]


def _suite(nodeid: str) -> str:
    return nodeid.removeprefix(f"{PREFIX}/").partition("/")[0] if nodeid.startswith(f"{PREFIX}/") else ""


def _longer(check: Check, duration_s: float) -> Check:
    return msgspec.structs.replace(check, duration_s=round(check.duration_s + duration_s, 6))
