"""One run, read into what a reader wants to know. All forms of the report are written from this alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from idcbench.measure.statistics import Values
from idcbench.runs.causes import causes_said
from idcbench.runs.directory import Run
from idcbench.runs.schema import Check, Metric, RunDocument
from idcbench.runs.series import read_series
from idcbench.runs.timeline import Event

from . import checklist, cluster_facts
from .faultrows import FaultFigures, figures_of
from .faults import faults_of
from .figures import NOTHING, duration
from .growth import Growing, growths_of
from .objectives import Objective, gathered, objectives_of
from .verdict import Verdict, verdict_of

FILES = (
    ("run.json", "everything in figures, with the schema of docs/run.schema.json"),
    ("samples/", "the raw values of every series and every request of the probe"),
    ("timeline.jsonl", "what happened, a JSON object a line"),
    ("junit.xml", "the checks for a CI system"),
    ("logs/", "what the components said"),
)
INSTRUMENTS = ("probe.", "measure.")
"""What the names of metrics begin with that are about the measuring itself."""
FOREIGN = ("load_average", "foreign")
"""What the names of those hold that say what else the machine did."""
DISTRIBUTION_LEAST = 20
"""Of fewer values a distribution shows no more than the values themselves do."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """A metric with its raw values."""

    metric: Metric
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Metrics of one name and unit, by their labels, of which some have values enough for a distribution."""

    name: str
    definition: str
    unit: str
    measured: tuple[Measured, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run as a report tells it.

    ``measured`` are the metrics that belong to no fault and not to the instruments, which are in ``instruments``;
    ``files`` those of the run directory that exist, with what they are. ``written`` is how many writes were
    acknowledged while faults went on, and how many of them were lost; ``None`` where nobody counted.
    """

    path: Path
    document: RunDocument
    verdict: Verdict
    cautions: tuple[str, ...]
    cluster: tuple[cluster_facts.Fact, ...]
    timers: tuple[cluster_facts.Fact, ...]
    machine: tuple[cluster_facts.Fact, ...]
    clocks: tuple[cluster_facts.Fact, ...]
    faults: tuple[FaultFigures, ...]
    objectives: tuple[Objective, ...]
    growths: tuple[Growing, ...]
    written: tuple[int, int] | None
    measured: tuple[Measured, ...]
    instruments: tuple[Measured, ...]
    areas: tuple[checklist.Area, ...]
    proofs: tuple[checklist.Proof, ...]
    in_trouble: tuple[Check, ...]
    skipped: tuple[tuple[str, tuple[Check, ...]], ...]
    happenings: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]

    @property
    def simulated(self) -> bool:
        return cluster_facts.simulated_nodes(self.document)

    @property
    def claims_kubelet(self) -> int:
        """How many checks say that they prove the kubelet."""
        return sum(proof.total for proof in self.proofs if proof.part == "kubelet")

    @property
    def duration(self) -> str:
        """How long the run took; empty when it has no end, or when its times are none."""
        try:
            span = datetime.fromisoformat(self.document.ended or "") - datetime.fromisoformat(self.document.started)
        except (ValueError, TypeError):
            return ""
        return duration(span.total_seconds() * 1000)

    @property
    def ready(self) -> Metric | None:
        """How long the cluster took to be ready."""
        return next((it.metric for it in self.measured if it.metric.name == "cluster.ready" and it.metric.n), None)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Of ``measured`` those with a distribution to look at, by name."""
        by_name: dict[tuple[str, str], list[Measured]] = {}
        for it in self.measured:
            by_name.setdefault((it.metric.name, it.metric.unit), []).append(it)
        return tuple(
            Group(name=name, unit=unit, definition=some[0].metric.definition, measured=tuple(some))
            for (name, unit), some in by_name.items()
            if any(it.metric.n >= DISTRIBUTION_LEAST for it in some)
        )

    @property
    def few(self) -> tuple[Measured, ...]:
        """Of ``measured`` those whose values are too few for a distribution."""
        grouped = {(group.name, group.unit) for group in self.groups}
        return tuple(it for it in self.measured if (it.metric.name, it.metric.unit) not in grouped)

    @property
    def machine_load(self) -> tuple[Metric, ...]:
        """What else the machine had to do meanwhile, where that was recorded."""
        found = (it.metric for it in self.instruments if any(word in it.metric.name for word in FOREIGN))
        return tuple(metric for metric in found if metric.n)

    @property
    def size(self) -> str:
        """``3 control planes, 50 nodes``; empty when no cluster is known."""
        told = self.document.facts.get("cluster")
        cluster = told if isinstance(told, dict) else {}
        planes, nodes = cluster.get("control_planes"), cluster.get("nodes")
        said = f"{planes} control plane{'' if planes == 1 else 's'}, {nodes} node{'' if nodes == 1 else 's'}"
        return said if planes else ""

    @property
    def options(self) -> tuple[cluster_facts.Fact, ...]:
        """Every option used, as text; a dash for one that was not given."""
        return tuple((name, _said(value)) for name, value in self.document.options.items())

    @property
    def definitions(self) -> tuple[tuple[str, str], ...]:
        """What each metric is, once."""
        return tuple({it.name: it.definition for it in self.document.metrics if it.definition}.items())


def _happenings(document: RunDocument, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """What the components did that nobody asked for, with the time since the run began."""
    began_ns = document.clocks.started.monotonic_ns
    for event in events:
        if event.get("asked") is not False:
            continue
        code = event.get("exit_code")
        last = " / ".join(str(line) for line in (event.get("last_lines") or ())[-2:])
        said = f"{event.get('component', '')} on {event.get('host', '')} {event['what']}"
        at_s = max(0.0, (event["at_ns"] - began_ns) / 1e9)
        yield (
            duration(at_s * 1000),
            said + (f" with {code}" if code is not None else "") + (f": {last}" if last else ""),
        )


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value in (None, "", [], {}) else str(value)


def report_of(run: Run) -> Report:
    """Read a run. Raises :class:`~idcbench.errors.RunError` when its files cannot be read."""
    document, events = run.document(), run.events()
    others = [
        metric for metric in document.metrics if not (metric.name.startswith("failover.") and "fault" in metric.labels)
    ]
    instruments = [metric for metric in others if metric.name.startswith(INSTRUMENTS)]
    return Report(
        path=run.path,
        document=document,
        verdict=verdict_of(document),
        cautions=(*(f"O{said[1:]}." for said in causes_said(events)), *cluster_facts.cautions(document)),
        cluster=cluster_facts.cluster_facts(document),
        timers=cluster_facts.timer_facts(document),
        machine=cluster_facts.machine_facts(document),
        clocks=cluster_facts.clock_facts(document),
        faults=figures_of(run.path, faults_of(run.path, events), document.metrics),
        objectives=tuple(gathered(objectives_of(events))),
        growths=tuple(growths_of(events, document.metrics)),
        written=_written(run.path, document.metrics),
        measured=_with_values(run.path, [metric for metric in others if metric not in instruments]),
        instruments=_with_values(run.path, instruments),
        areas=checklist.areas(document.checks),
        proofs=checklist.proofs(document.checks),
        in_trouble=checklist.in_trouble(document.checks),
        skipped=checklist.skipped(document.checks),
        happenings=tuple(_happenings(document, events)),
        files=tuple((name, what) for name, what in FILES if (run.path / name).exists()),
    )


def _with_values(run: Path, metrics: Sequence[Metric]) -> tuple[Measured, ...]:
    return tuple(Measured(metric=metric, values=_values(run, metric)) for metric in metrics)


def _values(run: Path, metric: Metric) -> Values:
    return np.asarray(read_series(run / metric.samples)[1]["value"], dtype=np.float64)


def _written(run: Path, metrics: Sequence[Metric]) -> tuple[int, int] | None:
    """How many writes were acknowledged in all, and how many of them were lost."""
    totals = []
    for name in ("failover.acknowledged", "failover.lost"):
        found = [_values(run, metric) for metric in metrics if metric.name == name]
        if not found:
            return None
        totals.append(round(sum(float(values.sum()) for values in found)))
    return totals[0], totals[1]
