"""Outages from a probe's records: pure functions over one stream's requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .requests import Outcome, Requests


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch of time in which no request of a stream completed.

    ``started_ns`` is when the last request before it completed, ``ended_ns`` when the first after it did, both
    CLOCK_MONOTONIC. Known to within one probe interval; a stall that ends well counts too. ``ended`` is false when
    nothing completed until the end of what was looked at.
    """

    started_ns: int
    ended_ns: int
    interval_ns: int
    ended: bool = True

    @property
    def duration_ms(self) -> float:
        """The full outage: the gap less the probe's own interval."""
        return (self.ended_ns - self.started_ns - self.interval_ns) / 1e6


def longest_outage(
    completions_ns: Sequence[int] | npt.NDArray[np.int64], *, interval_ns: int, until_ns: int | None = None
) -> Outage | None:
    """Find the widest gap between successive successful completions, the earliest among equals.

    ``until_ns`` is when the stream was looked at last: silence from the last completion until then counts as a gap
    that did not end. Gaps up to ``interval_ns`` are the probe's own rhythm and give ``None``, and so does a stream
    with fewer than two ends of a gap. Raises ``ValueError`` when completions are out of order.
    """
    ends = np.asarray(completions_ns, dtype=np.int64)
    gaps = np.diff(ends)
    if (gaps < 0).any():
        raise ValueError("completions are out of order; sort them by when they completed")
    silent_ns = until_ns - int(ends[-1]) if until_ns is not None and len(ends) else 0
    widest = int(gaps.argmax()) if len(gaps) else None
    gap_ns = 0 if widest is None else int(gaps[widest])
    if max(gap_ns, silent_ns) <= interval_ns:
        return None
    if widest is None or silent_ns > gap_ns:
        return Outage(int(ends[-1]), int(ends[-1]) + silent_ns, interval_ns, ended=False)
    return Outage(int(ends[widest]), int(ends[widest + 1]), interval_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSummary:
    """What a fault did to one stream.

    ``outage_ms`` is the full outage, 0 when there was none. ``degraded_ms`` is the time from the planned start of the
    first to that of the last request that did not succeed, 0 when fewer than two did not. ``worst_latency_ms`` counts
    from the planned start and over all requests, so of one that missed its deadline it is the least that it was.
    """

    total: int
    failed: int
    unknown: int
    outage_ms: float
    outage: Outage | None
    degraded_ms: float
    worst_latency_ms: float | None


def summarise(requests: Requests, *, interval_ns: int, since_ns: int, until_ns: int) -> StreamSummary:
    """Sum up the requests of one stream that were planned from ``since_ns`` to ``until_ns``.

    An outage is looked for among all of ``requests`` whose gap ends after ``since_ns`` and begins before ``until_ns``,
    so one that began with the last completion before ``since_ns`` is seen whole.
    """
    planned = requests["planned_ns"]
    inside = requests[(planned >= since_ns) & (planned < until_ns)]
    bad = inside["planned_ns"][inside["outcome"] != Outcome.OK]
    latency_ns = inside["completed_ns"] - inside["planned_ns"]
    outage = longest_outage(_ends(requests, since_ns, until_ns), interval_ns=interval_ns, until_ns=until_ns)
    return StreamSummary(
        total=len(inside),
        failed=int((inside["outcome"] == Outcome.FAILED).sum()),
        unknown=int((inside["outcome"] == Outcome.UNKNOWN).sum()),
        outage_ms=outage.duration_ms if outage else 0.0,
        outage=outage,
        degraded_ms=(int(bad.max()) - int(bad.min())) / 1e6 if len(bad) else 0.0,
        worst_latency_ms=int(latency_ns.max()) / 1e6 if len(inside) else None,
    )


def _ends(requests: Requests, since_ns: int, until_ns: int) -> npt.NDArray[np.int64]:
    """Successful completions from the last one before ``since_ns`` to the first one after ``until_ns``.

    A stream that never succeeded before ``since_ns`` counts from there.
    """
    completed: npt.NDArray[np.int64] = np.sort(requests["completed_ns"][requests["outcome"] == Outcome.OK])
    first = int(np.searchsorted(completed, since_ns, side="right")) - 1
    last = int(np.searchsorted(completed, until_ns, side="left")) + 1
    chosen = completed[max(first, 0) : last]
    if first < 0:
        chosen = np.concatenate([np.array([since_ns], dtype=np.int64), chosen])
    return chosen


def in_flight(requests: Requests, *, since_ns: int, until_ns: int) -> Requests:
    """Those that were under way at some time from ``since_ns`` to ``until_ns``: a process takes a while to die."""
    chosen: Requests = requests[(requests["started_ns"] <= until_ns) & (requests["completed_ns"] > since_ns)]
    return chosen


def started_after(requests: Requests, at_ns: int) -> Requests:
    """Those that started after ``at_ns``."""
    chosen: Requests = requests[requests["started_ns"] > at_ns]
    return chosen


def longest_idle_ms(requests: Requests, *, since_ns: int, until_ns: int) -> float:
    """The longest time from ``since_ns`` to ``until_ns`` in which the probe started nothing: was it running at all?"""
    starts = np.sort(requests["started_ns"])
    inside = starts[(starts > since_ns) & (starts < until_ns)]
    edges = np.concatenate([[since_ns], inside, [until_ns]])
    return float(np.diff(edges).max()) / 1e6
