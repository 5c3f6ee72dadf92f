"""The objectives of SIG Scalability as data, and whether a measurement met them: told to the run, never a failure.

Words and limits are those of kubernetes/community, sig-scalability/slos (api_call_latency.md, pod_startup_latency.md).
There a quantile is one of five minutes, and holds for a day of a cluster; here it is one of the whole measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from idcbench.measure.statistics import quantile
from idcbench.runs.directory import Run

EVENT = "objective"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """An indicator by its official words, and what its 99th percentile may be at most."""

    name: str
    at_most: float
    unit: str


MUTATING = Objective(
    name="Latency of processing mutating API calls for single objects for every (resource, verb) pair, measured as"
    " 99th percentile over last 5 minutes",
    at_most=1000.0, unit="ms",
)  # fmt: skip
_READS = (
    "Latency of processing non-streaming read-only API calls for every (resource, scope) pair, measured as 99th"
    " percentile over last 5 minutes"
)
READ_ONE = Objective(name=f"{_READS}; scope=resource", at_most=1000.0, unit="ms")
READ_MANY = Objective(name=f"{_READS}; scope=namespace or scope=cluster", at_most=30_000.0, unit="ms")
POD_STARTUP = Objective(
    name="Startup latency of schedulable stateless pods, excluding time to pull images and run init containers,"
    " measured from pod creation timestamp to when all its containers are reported as started and observed via watch,"
    " measured as 99th percentile over last 5 minutes",
    at_most=5000.0, unit="ms",
)  # fmt: skip


def of_call(verb: str, scope: str) -> Objective:
    """The one that holds for calls of that verb (GET, LIST, POST, …) and scope (resource, namespace, cluster)."""
    if verb not in ("GET", "LIST"):
        return MUTATING
    return READ_ONE if scope == "resource" else READ_MANY


def judge(
    run: Run, objective: Objective, values: npt.NDArray[np.float64], *, metric: str, labels: Mapping[str, str]
) -> bool | None:
    """Tell the run, as the timeline's event ``objective``, whether these values of a metric meet it.

    ``None``, as the event's ``value``, where they are too few for the quantile to have an upper bound (299 for p99).
    """
    value = quantile(np.sort(values), 0.99)
    met = None if value is None else value <= objective.at_most
    run.happened(
        EVENT, name=objective.name, metric=metric, labels=dict(labels), statistic="p99",
        at_most=objective.at_most, unit=objective.unit, value=value, met=met,
    )  # fmt: skip
    return met
