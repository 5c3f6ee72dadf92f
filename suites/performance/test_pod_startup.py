"""Pod startup by the definition of SIG Scalability: schedulable pods without state, image pulls excluded."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client
from idcbench.measure.clock import ClockPair
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress

from .ground import node_count, own_namespace
from .objectives import POD_STARTUP, judge
from .sizes import scaled
from .startup import Started, keep_lag, server_seconds, start_pods

pytestmark = pytest.mark.idc_measuring
PODS, RATE_PER_S = 3000, 20.0
OBJECTIVE = f"objective of SIG Scalability: p99 <= {POD_STARTUP.at_most / 1000:g} s, here over the whole test"
ON_ONE_CLOCK = "by receipts of one watch on one clock, each known to its lag"
PARTS = {
    "create_to_schedule": f"from the planned start of the request to the event that names a node, {ON_ONE_CLOCK}",
    "schedule_to_run": f"from there to the event with phase Running, {ON_ONE_CLOCK}",
    "run_to_watch": f"from there to the event that says Ready, {ON_ONE_CLOCK}; 0 where a node says both at once",
    "create_to_watch": f"from the planned start of the request to the event that says Ready, {ON_ONE_CLOCK};"
    f" {OBJECTIVE}",
}
HEADLINES = ("create_to_watch",)


def test_pod_startup(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Pods that arrive at random are created, scheduled, running, and seen to be."""
    count = scaled(PODS, idc_scale)
    labels = {"pods": str(count), "rate": f"{RATE_PER_S:g}", "nodes": str(node_count(idc_client))}
    with own_namespace(idc_client) as namespace:
        clock = ClockPair.read()
        started = start_pods(
            idc_cluster, namespace, count=count, rate_per_s=RATE_PER_S, progress=idc_progress
        )  # fmt: skip
    assert len(started.pods.names) == count, "each pod that was created is seen to be ready"
    for objection in started.objections:
        idc_record.run.invalidate(f"pod startup: {objection}")
    _keep(idc_record, started, labels)
    until_ready_ms = started.from_creation_ms("ready")
    judge(idc_record.run, POD_STARTUP, until_ready_ms, metric="pod_startup.create_to_watch", labels=labels)
    _keep_servers(idc_record, started, clock, labels)
    keep_lag(idc_record.run, started.pods, {"of": "pod startup"})


def _keep(record: Record, started: Started, labels: dict[str, str]) -> None:
    parts = {
        "create_to_schedule": started.from_creation_ms("scheduled"),
        "schedule_to_run": started.between_ms("scheduled", "running"),
        "run_to_watch": started.between_ms("running", "ready"),
        "create_to_watch": started.from_creation_ms("ready"),
    }
    at_ns = [int(at) for at in started.pods.step("ready")]
    for part, values_ms in parts.items():
        series = record.run.series(
            f"pod_startup.{part}", unit="ms", better="lower", labels=labels, definition=PARTS[part],
            headline=part in HEADLINES,
        )  # fmt: skip
        series.add_many(values_ms, at_ns)


def _keep_servers(record: Record, started: Started, clock: ClockPair, labels: dict[str, str]) -> None:
    at_ns = [clock.realtime_of(int(at)) for at in started.pods.step("ready")]
    for part, values_s in server_seconds(started.pods, clock).items():
        record.run.series(
            f"pod_startup.by_server.{part}", unit="s", better="lower", labels=labels, clock="realtime", signed=True,
            definition="the same part by the stamps that the servers wrote, whole seconds of their wall clocks: "
            "creationTimestamp, condition PodScheduled, startedAt of the last container; what ends with the watch ends"
            " with the wall clock of the watcher",
        ).add_many(values_s, at_ns)  # fmt: skip
