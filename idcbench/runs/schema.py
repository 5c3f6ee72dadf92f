"""run.json: what one run was, what it did and what came out. Described for readers in docs/run-directory.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

SCHEMA = 1
"""Raised when a reader of the former number would misread a run; a new field that may be missing does not count."""

Better = Literal["lower", "higher", "none"]
Clock = Literal["monotonic", "realtime"]
Outcome = Literal["passed", "failed", "error", "skipped"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One test's outcome.

    ``title`` is the first line of its docstring; ``proves`` is the part of Kubernetes that has to work for it to pass
    (``api``, ``controller``, ``kubelet``, …; empty when the test says nothing); ``negative`` when something must be
    refused or must not happen; ``reason`` why it was skipped or the one line of why it failed; ``longrepr`` an
    excerpt of pytest's account of a failure; ``round`` the round that it was made in, 0 in a run without rounds.
    """

    nodeid: str
    title: str = ""
    suite: str = ""
    proves: str = ""
    negative: bool = False
    outcome: Outcome
    reason: str = ""
    duration_s: float = 0.0
    longrepr: str = ""
    round: int = 0


class TestCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many tests ended how; ``reasons`` counts the skipped ones by their reason."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    selected: int = 0
    """How many were to run; 0 where that is not known (with pytest-xdist, or an older idcbench)."""
    reasons: dict[str, int] = {}

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.errors + self.skipped

    @classmethod
    def of(cls, checks: Iterable[Check], *, selected: int = 0) -> TestCounts:
        """Count ``checks``, out of ``selected``."""
        checks = tuple(checks)
        outcomes = Counter(check.outcome for check in checks)
        return cls(
            passed=outcomes["passed"],
            failed=outcomes["failed"],
            errors=outcomes["error"],
            skipped=outcomes["skipped"],
            selected=selected,
            reasons=dict(Counter(check.reason for check in checks if check.outcome == "skipped").most_common()),
        )


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A series in figures. A quantile for which there are too few samples is ``None``, never 0.

    p50 is given from 1 sample, p95 from 59, p99 from 299 (`idcbench.measure.statistics`). ``ci95`` is the
    distribution-free interval of the median. ``samples`` is the file of raw values, relative to the run directory.
    """

    name: str
    labels: dict[str, str] = {}
    unit: str
    better: Better
    n: int
    min: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    ci95: tuple[float, float] | None = None
    definition: str = ""
    samples: str = ""
    clock: Clock = "monotonic"


class Validity(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the figures may be used. ``reasons`` say what made them invalid, ``notes`` what does not but matters."""

    valid: bool = True
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """The clocks of this machine, read together, in ns."""

    realtime_ns: int
    monotonic_ns: int
    boottime_ns: int


class ClockAudit(msgspec.Struct, frozen=True, kw_only=True):
    """How the clocks ran from the beginning of the run to its end.

    ``realtime_moved_ms`` is how far the wall clock moved against the monotonic one (slew and jumps); ``suspended_ms``
    how long the machine slept, which the monotonic clock does not count. Both ``None`` while the run goes on.
    """

    started: ClockReading
    ended: ClockReading | None = None
    realtime_moved_ms: float | None = None
    suspended_ms: float | None = None


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of run.json. ``ended`` is ``None`` in a run that goes on or was cut off."""

    schema: int = SCHEMA
    target: str
    number: int
    name: str
    started: str
    ended: str | None = None
    interrupted: bool = False
    valid: bool = True
    invalid_because: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tests: TestCounts = TestCounts()
    metrics: tuple[Metric, ...] = ()
    checks: tuple[Check, ...] = ()
    facts: dict[str, Any] = {}
    options: dict[str, Any] = {}
    versions: dict[str, str] = {}
    digests: dict[str, str] = {}
    machine: dict[str, Any] = {}
    clocks: ClockAudit

    @property
    def id(self) -> str:
        """Names the run among all: ``embedded/0007_run``."""
        return f"{self.target}/{self.number:04d}_{self.name}"


class SchemaOnly(msgspec.Struct, frozen=True):
    """What is read of a run.json before the rest is trusted."""

    schema: int


def to_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what JSON knows; dataclasses become objects, everything else unknown its text."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(values), enc_hook=str))
    return plain


def json_schema() -> dict[str, Any]:
    """The JSON schema of run.json, published as docs/run.schema.json."""
    return msgspec.json.schema(RunDocument)
