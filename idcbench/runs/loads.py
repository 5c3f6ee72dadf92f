"""A load in a run: what it measured, how well it kept its plan, and that the run is invalid when it did not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..measure.loader import LoadResult
from ..measure.open_loop import Outcome
from .directory import Run

LATENCY = "load.latency"
LAG = "measure.load_start_lag"
BEHIND = "measure.load_behind"
REQUESTS = "load.requests"
DEFINITIONS = {
    LATENCY: "from a request's planned start to the last byte of its answer, of those answered 2xx",
    LAG: "how much later than planned a request started",
    BEHIND: "requests that had not been started when the last one was due, and the lag allowed, of all",
    REQUESTS: "requests of a load that ended so: ok, refused (another answer than 2xx), broken or late (none)",
}


def record_load(run: Run, result: LoadResult, *, labels: Mapping[str, str]) -> None:
    """Write a load into the run, its series with ``labels``, and a line of the timeline; objections make it invalid.

    Per sort of request :data:`LATENCY` (label ``call``) and :data:`REQUESTS` (labels ``call``, ``outcome``; one value
    for each load); of the whole load :data:`LAG` and :data:`BEHIND`. To be called once for each load.
    """
    for call in result.plan.calls:
        of_call = {**labels, "call": call.name}
        good = result.of(call.name)
        good = good[good["outcome"] == Outcome.OK]
        if len(good):
            latency = run.series(LATENCY, unit="ms", better="lower", labels=of_call, definition=DEFINITIONS[LATENCY])
            latency.add_many((good["completed_ns"] - good["planned_ns"]) / 1e6, good["completed_ns"])
        for outcome, count in result.counts(call.name).items():
            of_outcome = {**of_call, "outcome": outcome.name.lower()}
            run.series(
                REQUESTS, unit="requests", better="none", labels=of_outcome, definition=DEFINITIONS[REQUESTS]
            ).add(count)
    _record_keeping(run, result, labels)
    run.happened(
        "load",
        at_ns=result.started_ns,
        duration_s=result.plan.duration_s,
        requests=len(result.sent),
        labels=dict(labels),
    )


def _record_keeping(run: Run, result: LoadResult, labels: Mapping[str, str]) -> None:
    if len(result.sent):
        lag = run.series(LAG, unit="ms", better="lower", labels=labels, definition=DEFINITIONS[LAG])
        lag_ms = np.maximum(result.sent["started_ns"] - result.sent["planned_ns"], 0) / 1e6
        lag.add_many(lag_ms, result.sent["planned_ns"])
    run.series(BEHIND, unit="%", better="lower", labels=labels, definition=DEFINITIONS[BEHIND]).add(100 * result.behind)
    name = ", ".join(f"{key} {value}" for key, value in labels.items())
    for objection in result.objections:
        run.invalidate(f"load{f' ({name})' if name else ''}: {objection}")
