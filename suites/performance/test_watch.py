"""How long an event takes to its watchers, by how many they are, and whether each hears of all."""

from __future__ import annotations

import msgspec
import pytest

from idcbench.kube.crud import Client
from idcbench.measure.arrivals import constant
from idcbench.measure.calls import Call
from idcbench.measure.fanout import EVENT_MARK, Heard, watchers_of
from idcbench.measure.loader import LoadPlan, LoadResult, run_load
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress
from idcbench.runs.directory import Run

from .ground import own_namespace
from .load_quality import keep_quality
from .sizes import scaled

pytestmark = pytest.mark.idc_measuring
WATCHERS = (1, 100, 1000)
EVENTS, EVENTS_PER_S = 300, 10.0
OBJECT = "watched"
HEADLINE_WATCHERS = 100
"""Among the sizes of scale 1 and of a tenth."""
LAST_S = 30.0
LATENCY = "from the planned start of a write to the receipt of its event by a watcher, each event at each watcher"


def test_watch_latency(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """An object changes at even times before more and more watchers; each hears of every change."""
    events = scaled(EVENTS, idc_scale, least=5)
    lost: dict[int, int] = {}
    with own_namespace(idc_client) as namespace:
        idc_client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": OBJECT}}, namespace)
        for watchers in dict.fromkeys([WATCHERS[0], *(scaled(count, idc_scale) for count in WATCHERS[1:])]):
            idc_progress(f"{watchers} watchers hear of events", total=events / EVENTS_PER_S, unit="s")
            load, heard = _observe(idc_cluster, namespace, watchers, events)
            keep_quality(idc_record.run, load, of=f"events for {watchers} watchers")
            _keep(idc_record.run, load, heard, {"watchers": str(watchers), "events_per_s": f"{EVENTS_PER_S:g}"})
            lost[watchers] = heard.missing
    assert not any(lost.values()), f"events that watchers never heard of, by the number of watchers: {lost}"


def _observe(cluster: LiveCluster, namespace: str, watchers: int, events: int) -> tuple[LoadResult, Heard]:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    change = Call(
        name="change", method="PATCH", path=f"{path}/{OBJECT}", content_type="application/merge-patch+json",
        body=msgspec.json.encode({"data": {"event": EVENT_MARK}}).decode(),
    )  # fmt: skip
    plan = LoadPlan(planned_ns=constant(EVENTS_PER_S, events / EVENTS_PER_S), calls=(change,), connections=8)
    with watchers_of(cluster.access, path, watchers=watchers) as running:
        load = run_load(cluster.access, plan)
        return load, running.heard(events, timeout_s=LAST_S)


def _keep(run: Run, load: LoadResult, heard: Heard, labels: dict[str, str]) -> None:
    values_ms, at_ns = heard.since_ms(load.sent["planned_ns"])
    run.series(
        "watch.latency", unit="ms", better="lower", labels=labels, definition=LATENCY,
        headline=labels["watchers"] == str(HEADLINE_WATCHERS),
    ).add_many(values_ms, at_ns.tolist())  # fmt: skip
    run.series(
        "watch.write", unit="ms", better="lower", labels=labels,
        definition="from the planned start of such a write to its whole answer, which may come after the event",
    ).add_many(load.latency_ms(), load.sent["completed_ns"].tolist())  # fmt: skip
    run.series(
        "watch.missing", unit="events", better="lower", labels=labels,
        definition=f"events that a watcher did not hear of within {LAST_S:g} s, of all watchers",
    ).add(heard.missing)  # fmt: skip
    run.series(
        "measure.watch_lag", unit="ms", better="lower", labels={"of": "watchers"} | labels,
        definition="how late a process of watchers got to do what was due, every 10 ms: an event may have been stamped"
        " as late",
    ).add_many(heard.late[:, 1] / 1e6, heard.late[:, 0].tolist())  # fmt: skip
    for objection in heard.objections:
        run.invalidate(f"watch latency ({labels['watchers']} watchers): {objection}")
