"""What the control plane costs: processor time and memory of each component, by nodes and by pods, and etcd's disk."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from idcbench.kube.crud import Client
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress
from idcbench.runs.directory import Run

from .etcd_metrics import keep_etcds, read_etcds
from .ground import node_count, own_namespace, own_nodes, wait_until_tidy
from .sizes import scaled
from .startup import start_pods
from .usage import ControlPlane, Usage, read_control_plane

pytestmark = [pytest.mark.idc_measuring]
NODES, PODS, RATE_PER_S = 1000, 1000, 50.0
IDLE_S = 3.0
"""How long the control plane is looked at without load, which is what is measured then, not a wait for something."""
MIB = 2**20
ALL_MEMBERS = "of all members together, from /proc"


@pytest.mark.idc(needs=["many-nodes"])
def test_cost_of_nodes_and_pods(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Nodes join, then pods are started; what each component uses more for it, and what etcd's disk had to do."""
    run, pods, more = idc_record.run, scaled(PODS, idc_scale), scaled(NODES, idc_scale)
    wait_until_tidy(idc_client)
    there = node_count(idc_client)
    labels = {"nodes": str(there)}
    idle, idle_cores = _idle(idc_cluster, idc_progress)
    _keep_levels(run, idle, idle_cores, labels)
    with own_nodes(idc_cluster, idc_client, progress=idc_progress) as nodes:
        nodes.grow_to(more)
        grown, grown_cores = _idle(idc_cluster, idc_progress)
        labels |= {"nodes": str(there + more)}
        _keep_levels(run, grown, grown_cores, labels)
        _keep_per_node(run, idle, grown, idle_cores, grown_cores, {"added": str(more)} | labels)
        with own_namespace(idc_client) as namespace:
            etcds = read_etcds(idc_cluster)
            before = read_control_plane(idc_cluster)
            start_pods(
                idc_cluster, namespace, count=pods, rate_per_s=RATE_PER_S, spec=nodes.selector, progress=idc_progress
            )
            after = read_control_plane(idc_cluster)
            keep_etcds(run, etcds, read_etcds(idc_cluster), labels | {"pods": str(pods)})
        _keep_per_pods(run, before, after, pods, grown_cores, labels | {"pods": str(pods)})


def _idle(cluster: LiveCluster, progress: Progress) -> tuple[ControlPlane, dict[str, float]]:
    """What is used without load: the usage at the end, and the cores that each component kept busy meanwhile."""
    progress("control plane without load", total=IDLE_S, unit="s")
    before = read_control_plane(cluster)
    time.sleep(IDLE_S)
    after = read_control_plane(cluster)
    window_s = (after.at_ns - before.at_ns) / 1e9
    return after, {component: cpu_s / window_s for component, cpu_s in after.cpu_since(before).items()}


def _keep_levels(run: Run, now: ControlPlane, cores: Mapping[str, float], labels: Mapping[str, str]) -> None:
    for component, usage in now.components.items():
        own = dict(labels) | {"component": component}
        run.series(
            "cost.memory", unit="MiB", better="lower", labels=own, definition=f"resident memory, {ALL_MEMBERS}"
        ).add(usage.memory_bytes / MIB, now.at_ns)
        run.series(
            "cost.idle_cpu", unit="cores", better="lower", labels=own,
            definition=f"processor time per second without load, {ALL_MEMBERS}",
        ).add(cores[component], now.at_ns)  # fmt: skip


def _keep_per_node(
    run: Run, idle: ControlPlane, grown: ControlPlane, idle_cores: Mapping[str, float],
    grown_cores: Mapping[str, float], labels: Mapping[str, str],
) -> None:  # fmt: skip
    added = int(labels["added"])
    for component, usage in grown.components.items():
        own = dict(labels) | {"component": component}
        more = usage.memory_bytes - idle.components[component].memory_bytes
        run.series(
            "cost.memory_per_node", unit="KiB/node", better="lower", labels=own, signed=True,
            definition=f"resident memory after the nodes had joined less that before, by their number, {ALL_MEMBERS}",
        ).add(more / added / 1024, grown.at_ns)  # fmt: skip
        run.series(
            "cost.cpu_per_node", unit="millicores/node", better="lower", labels=own, signed=True,
            definition=f"cores in use without load after the nodes had joined less those before, {ALL_MEMBERS}",
        ).add((grown_cores[component] - idle_cores[component]) / added * 1000, grown.at_ns)  # fmt: skip


def _keep_per_pods(
    run: Run, before: ControlPlane, after: ControlPlane, pods: int, idle_cores: Mapping[str, float],
    labels: Mapping[str, str],
) -> None:  # fmt: skip
    window_s = (after.at_ns - before.at_ns) / 1e9
    for component, cpu_s in after.cpu_since(before).items():
        own = dict(labels) | {"component": component}
        more = after.components[component].memory_bytes - before.components.get(component, Usage()).memory_bytes
        run.series(
            "cost.cpu_per_1000_pods", unit="s/1000 pods", better="lower", labels=own, signed=True,
            definition="processor time from the first creation until every pod was ready, less what was used without"
            f" load in as long a time, {ALL_MEMBERS}",
        ).add((cpu_s - idle_cores[component] * window_s) / pods * 1000, after.at_ns)  # fmt: skip
        run.series(
            "cost.memory_per_1000_pods", unit="MiB/1000 pods", better="lower", labels=own, signed=True,
            definition=f"resident memory with the pods running less that before them, {ALL_MEMBERS}",
        ).add(more / pods * 1000 / MIB, after.at_ns)  # fmt: skip
