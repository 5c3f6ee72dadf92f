"""A run while it goes on: what there is of it by now, and the page that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from idcbench.runs.directory import Run
from idcbench.runs.document import read_document
from idcbench.runs.metrics import metrics_of
from idcbench.runs.schema import ClockReading, Metric, RunDocument
from idcbench.runs.timeline import TEST_BEGAN, TEST_ENDED, Event

from .faultrows import labels_text
from .figures import duration, figure
from .html import environment, page_script

State = dict[str, Any]
"""What :func:`state_of` gives, in values that JSON knows."""
OUTCOMES = ("passed", "failed", "error", "skipped")
LAST_LINES = 20
"""Of the timeline as many are shown."""
_SAID_APART = (TEST_BEGAN, TEST_ENDED)
_OF_EVERY_LINE = ("at_ns", "what")
_LONGEST = 200


def state_of(run: Run) -> State:
    """The run by now: ``id``, ``target``, ``started``, ``ended`` (``None`` while it goes on), ``tests`` by outcome,
    ``at_work`` (node ids), ``metrics`` (``name``, ``labels``, ``n``, ``p50``, ``p99``, ``max`` as text) and ``lines``,
    the last of the timeline, of the tests' apart. Raises :class:`~idcbench.errors.RunError` when it cannot be read.
    """
    document, events = read_document(run.path), run.events()
    ended = document.ended is not None
    return {
        "id": document.id,
        "target": document.target,
        "started": document.started,
        "ended": document.ended,
        "tests": _counted(document) if ended else _by_outcome(events),
        "at_work": [] if ended else at_work(events),
        "metrics": [_row(metric) for metric in (document.metrics if ended else metrics_of(run.path))],
        "lines": _lines(events, document.clocks.started),
    }


def at_work(events: Sequence[Event]) -> list[str]:
    """The tests that began and did not end yet, in the order in which they began."""
    going: dict[str, None] = {}
    for event in events:
        if event["what"] == TEST_BEGAN:
            going[str(event.get("nodeid", ""))] = None
        elif event["what"] == TEST_ENDED:
            going.pop(str(event.get("nodeid", "")), None)
    return list(going)


def fingerprint(run: Run) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever :func:`state_of` may; costs no reading, so it may be asked often beside a measurement."""
    found = []
    for path in (run.path / "run.json", run.path / "timeline.jsonl", *sorted((run.path / "samples").glob("*"))):
        try:
            stat = path.stat()
        except OSError:
            continue
        found.append((path.name, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def render_live(run: Run) -> str:
    """The page that shows the event stream beside it, and in the end the report."""
    template = environment().get_template("live.html")
    return template.render(page_script("live.js"), name=run.path.name, outcomes=OUTCOMES)


def _by_outcome(events: Sequence[Event]) -> dict[str, int]:
    counted = Counter(event.get("outcome") for event in events if event["what"] == TEST_ENDED)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def _counted(document: RunDocument) -> dict[str, int]:
    tests = document.tests
    return {"passed": tests.passed, "failed": tests.failed, "error": tests.errors, "skipped": tests.skipped}


def _row(metric: Metric) -> dict[str, str]:
    told = {name: figure(getattr(metric, name), metric.unit) for name in ("p50", "p99", "max")}
    return {"name": metric.name, "labels": labels_text(metric.labels), "n": figure(metric.n, "1")} | told


def _lines(events: Sequence[Event], began: ClockReading) -> list[dict[str, str]]:
    last = [event for event in events if event["what"] not in _SAID_APART][-LAST_LINES:]
    return [{"at": _since(event["at_ns"] - began.monotonic_ns), "said": _said(event)} for event in last]


def _since(ns: int) -> str:
    return duration(max(0, ns) / 1e6)


def _said(event: Event) -> str:
    fields = (f"{key}={value}" for key, value in event.items() if key not in _OF_EVERY_LINE and value not in ("", None))
    text = " ".join((event["what"], *fields))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
