"""The load named ``standard``: what it costs the control plane, what it costs to measure, and what clients get."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client
from idcbench.measure import standard
from idcbench.measure.harness import GOAL, HarnessMeter
from idcbench.measure.loader import LoadResult, loading, run_load
from idcbench.measure.open_loop import Outcome
from idcbench.measure.podwatch import PodSteps, watching_pods
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress
from idcbench.runs.directory import Run

from .ground import node_count, own_namespace, own_nodes
from .sizes import scaled
from .startup import keep_lag
from .usage import ControlPlane, read_control_plane

pytestmark = pytest.mark.idc_measuring
LAST_READY_S = 60.0
FEW = 10
"""So many times fewer nodes than the load is for are too few."""
LATENCY = "from the planned start of a request of the standard load to its whole answer, of those answered 2xx"
SHARE = (
    "processor time of every process of the harness (pytest, the load, the watch on pods) while the standard load was"
    f" sent, divided by that of all components of all members; goal < {GOAL:.0%}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One standard load: what became of its requests and pods, and who used how much processor time meanwhile."""

    load: LoadResult
    pods: PodSteps
    harness_cores: float
    before: ControlPlane | None
    after: ControlPlane | None


def test_standard_load(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Pods come and go in a cluster in use, and its clients read; how long everything takes, and what it costs."""
    duration_s = standard.DURATION_S * idc_scale
    with _enough_nodes(idc_cluster, idc_client, scaled(standard.NODES, idc_scale), idc_progress) as nodes:
        with own_namespace(idc_client) as namespace:
            observed = _observe(idc_cluster, idc_client, namespace, duration_s, idc_progress)
        labels = {"nodes": str(nodes), "duration": f"{duration_s:g}"}
        _keep(idc_record.run, observed, labels)
    _judge(idc_record.run, observed)


@contextmanager
def _enough_nodes(cluster: LiveCluster, client: Client, wanted: int, progress: Progress) -> Iterator[int]:
    """As many nodes as are wanted, where the target simulates them; elsewhere those that there are.

    Skips where those are so few that their kubelets would be measured, and not the control plane.
    """
    there = node_count(client)
    if Capability.MANY_NODES not in cluster.capabilities and there * FEW < wanted:
        pytest.skip(f"needs a tenth of the {wanted} nodes that the load is for; there are {there}")
    if there >= wanted or Capability.MANY_NODES not in cluster.capabilities:
        yield there
        return
    with own_nodes(cluster, client, progress=progress) as nodes:
        nodes.grow_to(wanted - there)
        yield wanted


def _observe(
    cluster: LiveCluster, client: Client, namespace: str, duration_s: float, progress: Progress
) -> Observed:  # fmt: skip
    client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": standard.ANCHOR}}, namespace)
    client.create(standard.pod(standard.ANCHOR), namespace)
    plan = standard.standard_load(namespace, duration_s=duration_s)
    assert plan.sorts is not None
    made = int((plan.sorts == [call.name for call in plan.calls].index(standard.CREATE)).sum())
    with watching_pods(cluster.access, namespace) as watching, loading(cluster.access, plan) as ready:
        run_load(cluster.access, standard.stock_load(namespace))
        watching.wait("ready", standard.STOCK, timeout_s=LAST_READY_S, progress=progress, what="pods get ready")
        progress(f"sending the standard load for {duration_s:g} s")
        before = read_control_plane(cluster) if cluster.breakable else None
        meter = HarnessMeter.start()
        load = ready.run()
        harness_cores = meter.cores()
        after = read_control_plane(cluster) if cluster.breakable else None
        watching.wait("ready", standard.STOCK + made, timeout_s=LAST_READY_S)
        pods = watching.steps()
    return Observed(load=load, pods=pods, harness_cores=harness_cores, before=before, after=after)


def _keep(run: Run, observed: Observed, labels: dict[str, str]) -> None:
    load = observed.load
    for call in load.plan.calls:
        answered = load.of(call.name)
        answered = answered[answered["outcome"] == Outcome.OK]
        series = run.series(
            "standard.latency", unit="ms", better="lower", labels=labels | {"call": call.name}, definition=LATENCY
        )
        series.add_many(load.latency_ms(call.name), answered["completed_ns"].tolist())
    _keep_pods(run, observed, labels)
    keep_lag(run, observed.pods, {"of": "standard load"})
    lag = run.series(
        "measure.load_lag", unit="ms", better="lower", labels={"of": "standard load"},
        definition="how much later than planned the load started each of its requests",
    )  # fmt: skip
    lag.add_many((load.sent["started_ns"] - load.sent["planned_ns"]) / 1e6, load.sent["started_ns"].tolist())
    if observed.before is not None and observed.after is not None:
        _keep_cost(run, observed.before, observed.after, observed.harness_cores, labels)


def _keep_pods(run: Run, observed: Observed, labels: dict[str, str]) -> None:
    load, pods = observed.load, observed.pods
    at_ns, alive = pods.alive()
    run.series(
        "standard.pods_alive", unit="pods", better="none", labels=labels,
        definition="pods of the load that there were, at each change of their number, as a watcher heard of it",
    ).add_many(alive.astype(np.float64), at_ns.tolist())  # fmt: skip
    created = load.of(standard.CREATE)
    planned = {f"std-{number:010d}": at for number, at in zip(created["number"], created["planned_ns"], strict=True)}
    chosen = pods.only(np.array([name in planned for name in pods.names]) & pods.took("ready"))
    started_ms = (chosen.step("ready") - np.array([planned[name] for name in chosen.names])) / 1e6
    run.series(
        "standard.pod_startup", unit="ms", better="lower", labels=labels,
        definition="from the planned start of the request that created a pod to the event that says Ready",
    ).add_many(started_ms, chosen.step("ready").tolist())  # fmt: skip


def _keep_cost(
    run: Run, before: ControlPlane, after: ControlPlane, harness_cores: float, labels: dict[str, str]
) -> None:  # fmt: skip
    window_s = (after.at_ns - before.at_ns) / 1e9
    used_cores = {component: cpu_s / window_s for component, cpu_s in after.cpu_since(before).items()}
    for component, cores in used_cores.items():
        run.series(
            "standard.cpu", unit="cores", better="lower", labels=labels | {"component": component},
            definition="processor time of the component, of all members, while the standard load was sent, per second",
        ).add(cores)  # fmt: skip
    run.series(
        "measure.harness_share", unit="ratio", better="lower", labels={"load": "standard"} | labels, definition=SHARE
    ).add(harness_cores / sum(used_cores.values()))
    run.series(
        "measure.harness_cpu", unit="cores", better="lower", labels={"load": "standard"} | labels,
        definition="processor time of every process of the harness while the standard load was sent, per second",
    ).add(harness_cores)  # fmt: skip


def _judge(run: Run, observed: Observed) -> None:
    """A load that was not the one that was planned makes the run invalid; requests that fail, fail the test."""
    load, pods = observed.load, observed.pods
    for objection in (*load.objections, *pods.objections):
        run.invalidate(f"standard load: {objection}")
    bad = {outcome.name.lower(): n for outcome, n in load.counts().items() if outcome is not Outcome.OK and n}
    assert not bad, f"requests of the standard load that were not answered 2xx in time: {bad}"
