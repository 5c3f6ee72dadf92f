"""What a cluster of some size does with a small, fixed load: the values over which growth is fitted, and its record."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field

import numpy as np
import numpy.typing as npt

from idcbench.measure.arrivals import constant
from idcbench.measure.calls import Call
from idcbench.measure.growth import fit_growth
from idcbench.measure.loader import LoadPlan, run_load
from idcbench.measure.open_loop import Outcome
from idcbench.plugin.live import LiveCluster
from idcbench.runs.directory import Run

from .usage import read_control_plane

GETS_PER_S, LISTS_PER_S, LOAD_S = 40.0, 8.0, 1.0
PAGE = 500
MIB = 2**20
DEFINITIONS = {
    "growth.get": ("ms", f"read of one object, {GETS_PER_S:g} a second, from its planned start to the whole answer"),
    "growth.list": ("ms", f"list of the first {PAGE} objects, {LISTS_PER_S:g} a second, likewise"),
    "growth.pod_startup": ("ms", "from the planned start of a pod's creation to a watcher's hearing that it is ready"),
    "growth.memory": ("MiB", "resident memory of all components of all members"),
    "growth.cpu": ("cores", "processor time of all components of all members while the reads were sent, per second"),
}
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Sizes one after the other, each with its values: ``by`` says of what."""

    run: Run
    by: str
    steps: dict[str, dict[int, list[float]]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, metric: str, size: int, values: Values | list[float]) -> None:
        """Values of one metric at one size; zeros are below what a clock or a counter can tell, and are left out."""
        unit, definition = DEFINITIONS[metric]
        found = [float(value) for value in values if value > 0]
        self.steps[metric].setdefault(size, []).extend(found)
        own = {"by": self.by, self.by: str(size)}
        self.run.series(metric, unit=unit, better="lower", labels=own, definition=definition).add_many(found)

    def finish(self) -> None:
        """Fit each metric's growth and tell it to the run, as the timeline's event ``growth``."""
        for metric, steps in self.steps.items():
            told = asdict(fit_growth(steps))
            labels = {"by": self.by}
            self.run.happened("growth", metric=metric, unit=DEFINITIONS[metric][0], labels=labels, by=self.by, **told)


def measure_reads(cluster: LiveCluster, walk: Walk, size: int, *, one: str, many: str) -> None:
    """Latency of the two reads, processor time meanwhile and memory; a failed read fails the test.

    ``one`` is the path of an object, ``many`` that of the collection which grows.
    """
    calls = (
        Call(name="get", path=one, weight=GETS_PER_S),
        Call(name="list", path=f"{many}?limit={PAGE}", weight=LISTS_PER_S),
    )
    plan = LoadPlan(planned_ns=constant(GETS_PER_S + LISTS_PER_S, LOAD_S), calls=calls, connections=8)
    before = read_control_plane(cluster)
    found = run_load(cluster.access, plan)
    after = read_control_plane(cluster)
    assert found.counts()[Outcome.OK] == len(plan.planned_ns), f"reads that failed at {size} {walk.by}"
    for name in ("get", "list"):
        walk.add(f"growth.{name}", size, found.latency_ms(name))
    window_s = (after.at_ns - before.at_ns) / 1e9
    walk.add("growth.memory", size, [after.whole.memory_bytes / MIB])
    walk.add("growth.cpu", size, [sum(after.cpu_since(before).values()) / window_s])
    walk.run.happened("growth-step", by=walk.by, size=size, at_ns=time.monotonic_ns())
