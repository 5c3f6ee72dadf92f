"""The first word of a report."""

from __future__ import annotations

import pytest

from idcbench.reports.verdict import verdict_of
from idcbench.runs.schema import ClockAudit, ClockReading, RunDocument, TestCounts

CLOCKS = ClockAudit(started=ClockReading(realtime_ns=0, monotonic_ns=0, boottime_ns=0))


@pytest.mark.parametrize(
    ("changes", "word", "sentence"),
    [
        ({"tests": TestCounts(passed=3)}, "Passed", "All 3 checks passed, none skipped."),
        ({"tests": TestCounts(passed=3, skipped=1)}, "Passed", "All 3 checks passed, 1 skipped."),
        ({"tests": TestCounts(passed=3, failed=1)}, "Failed", "3 of 4 checks passed, 1 failed, none skipped."),
        (
            {"tests": TestCounts(errors=1), "valid": False},
            "Failed",
            "0 of 1 checks passed, 1 ended in an error, none skipped.",
        ),
        ({"tests": TestCounts(passed=1), "valid": False}, "Invalid", "All 1 checks passed, none skipped."),
        (
            {"tests": TestCounts(passed=8, selected=194), "interrupted": True},
            "Interrupted",
            "8 of 194 checks were reached, of which 8 passed, none skipped.",
        ),
        (
            {"tests": TestCounts(failed=1), "interrupted": True},
            "Interrupted",
            "0 of 1 checks passed, 1 failed, none skipped.",
        ),
        ({"tests": TestCounts(skipped=2)}, "Nothing ran", "No check ran, 2 skipped."),
        ({}, "Nothing ran", "No check ran."),
        (
            {"ended": None, "interrupted": True},
            "Interrupted",
            "The run has no end: it was cut off, or is still going on.",
        ),
    ],
)
def test_verdict(changes: dict[str, object], word: str, sentence: str) -> None:
    given = {"target": "a", "number": 1, "name": "x", "started": "", "ended": "", "clocks": CLOCKS}
    verdict = verdict_of(RunDocument(**given | changes))
    assert (verdict.word, verdict.sentence) == (word, sentence)


def test_invalid_figures_always_have_a_reason() -> None:
    given = {"target": "a", "number": 1, "name": "x", "started": "", "ended": "", "clocks": CLOCKS}
    assert verdict_of(RunDocument(**given, valid=False)).invalid_because == ("no reason was recorded",)
    assert verdict_of(RunDocument(**given, valid=True, invalid_because=("x",))).invalid_because == ()
