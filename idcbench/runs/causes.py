"""Why outages last as long as they do, where a run says so: with one member nothing can take over."""

from __future__ import annotations

from collections.abc import Sequence

from .timeline import Event


def causes_of(events: Sequence[Event]) -> dict[str, str]:
    """What the timeline's ``fault`` lines give as the cause of the length, by fault; those without are left out."""
    told = [event for event in events if event["what"] == "fault" and event.get("fault") and event.get("cause")]
    return {str(event["fault"]): str(event["cause"]) for event in told}


def causes_said(events: Sequence[Event]) -> tuple[str, ...]:
    """The same as sentences, faults of one cause together."""
    faults: dict[str, list[str]] = {}
    for fault, cause in causes_of(events).items():
        faults.setdefault(cause, []).append(fault)
    return tuple(f"outages of {', '.join(some)}: {cause}" for cause, some in faults.items())
