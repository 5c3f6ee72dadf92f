"""The published schema is that of the code."""

from __future__ import annotations

import json
from pathlib import Path

from idcbench.runs.schema import Check, TestCounts, json_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "run.schema.json"


def test_the_published_schema_is_current() -> None:
    """docs/run-directory.md says how it is written anew."""
    assert json.loads(PUBLISHED.read_text()) == json.loads(json.dumps(json_schema()))


def test_tests_are_counted_by_outcome_and_reason() -> None:
    outcomes = ["passed", "passed", "failed", "error", "skipped", "skipped", "skipped"]
    reasons = ["", "", "", "", "b", "a", "b"]
    checks = [
        Check(nodeid=str(number), outcome=outcome, reason=reason)
        for number, (outcome, reason) in enumerate(zip(outcomes, reasons, strict=True))
    ]
    counts = TestCounts.of(checks)
    assert counts == TestCounts(passed=2, failed=1, errors=1, skipped=3, reasons={"b": 2, "a": 1})
    assert counts.total == 7
