"""From the times of bindings to rates. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLE_NS = 1_000_000_000
Times = npt.NDArray[np.int64]


def wall_rate(bound_ns: Times, *, end_ns: int) -> float:
    """Pods divided by the time from the first binding to ``end_ns`` (last binding or last event), in pods/s."""
    return len(bound_ns) / ((end_ns - int(bound_ns.min())) / 1e9) if len(bound_ns) > 1 else 0.0


def kube_average(bound_ns: Times) -> float | None:
    """The ``SchedulingThroughput`` ``Average`` of scheduler_perf's throughputCollector, in pods/s.

    One sample a second; the second in which binding begins is dropped, an interval without a binding is merged with
    the next and that sample then counts once for each, and the rest after the last whole second is not sampled.
    ``None`` when the drain is too short for a sample.
    """
    first, last = int(bound_ns.min()), int(bound_ns.max())
    ticks = np.arange(first + SAMPLE_NS, last + 1, SAMPLE_NS)
    counts = np.searchsorted(np.sort(bound_ns), ticks, side="right")
    samples: list[float] = []
    skipped = 0
    for fresh in np.diff(counts):
        if fresh == 0:
            skipped += 1
            continue
        samples += [float(fresh) / (skipped + 1)] * (skipped + 1)
        skipped = 0
    return float(np.mean(samples)) if samples else None


def decay(done_ns: Times, *, part: int = 1000) -> float | None:
    """Rate over the last ``part`` pods divided by that over the first, 1 without decay; each was done at its time.

    ``None`` with fewer than two such parts.
    """
    ordered = np.sort(done_ns)
    if len(ordered) < 2 * part or part < 2:
        return None
    first_ns, last_ns = ordered[part - 1] - ordered[0], ordered[-1] - ordered[-part]
    return float(first_ns / last_ns) if last_ns > 0 else None


def percentile_ms(waits_ns: Times, percent: float) -> float | None:
    """A percentile of waiting times in ms, the higher neighbour where it falls between two; ``None`` of nothing."""
    return float(np.percentile(waits_ns, percent, method="higher")) / 1e6 if len(waits_ns) else None
