"""That a load was the one that was planned, and how late it was: what each measurement by a load has to tell."""

from __future__ import annotations

from idcbench.measure.loader import LoadResult
from idcbench.measure.open_loop import Outcome
from idcbench.runs.directory import Run


def keep_quality(run: Run, load: LoadResult, *, of: str) -> None:
    """Write how late requests started; a load that was not the planned one makes the run invalid.

    Raises ``AssertionError`` when requests failed: their latency is not that of what was asked for.
    """
    run.series(
        "measure.load_lag", unit="ms", better="lower", labels={"of": of},
        definition="how much later than planned the load started each of its requests",
    ).add_many((load.sent["started_ns"] - load.sent["planned_ns"]) / 1e6, load.sent["started_ns"].tolist())  # fmt: skip
    for objection in load.objections:
        run.invalidate(f"{of}: {objection}")
    bad = {
        call.name: {outcome.name.lower(): n for outcome, n in counts.items() if n and outcome is not Outcome.OK}
        for call in load.plan.calls
        if (counts := load.counts(call.name))[Outcome.OK] < sum(counts.values())
    }
    statuses = sorted({int(status) for status in load.sent["status"] if not 200 <= status < 300})
    assert not bad, f"{of}: requests that were not answered 2xx in time: {bad}, with status {statuses}"
