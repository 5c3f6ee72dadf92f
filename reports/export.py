"""The report as JSON: the verdict and what only the reports compute, around the whole run.json."""

from __future__ import annotations

from typing import Any

import msgspec

from .faultrows import FaultFigures
from .model import Report
from .outages import Stream


def render_json(report: Report) -> str:
    """``run`` is run.json as it is; ``verdict``, ``cautions`` and ``faults`` say what the HTML report says."""
    document = {
        "run": report.document,
        "path": str(report.path),
        "verdict": {
            "word": report.verdict.word,
            "sentence": report.verdict.sentence,
            "invalid_because": report.verdict.invalid_because,
        },
        "cautions": report.cautions,
        "faults": [_fault(figures) for figures in report.faults],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def _fault(figures: FaultFigures) -> dict[str, Any]:
    fault = figures.fault
    return {
        "fault": fault.name,
        "title": fault.title,
        "bounds": fault.bounds,
        "requests": [
            {
                "kind": row.kind,
                "connection": row.connection,
                "variant": row.variant,
                "outages_ms": row.outages_ms,
                "bound_ms": row.bound.value_ms if row.bound else None,
                "within_bound": row.within_bound,
            }
            for row in figures.rows
        ],
        "repetitions": [
            {
                "repetition": it.number,
                "samples": it.samples,
                "acts": it.acts,
                "virtual_ip": [{"at_s": at_s, "host": host} for at_s, host in it.owners],
                "streams": [_stream(stream) for stream in it.streams],
            }
            for it in fault.repetitions
        ],
    }


def _stream(stream: Stream) -> dict[str, Any]:
    return {
        "kind": stream.kind,
        "connection": stream.connection,
        "outage": stream.outage,
        "degraded_ms": stream.degraded_ms,
        "worst_ms": stream.worst_ms,
        "failed": stream.failed,
        "unknown": stream.unknown,
        "total": stream.total,
    }
