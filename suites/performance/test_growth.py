"""How latency, memory and processor time grow with the number of nodes, and with the number of pods."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client
from idcbench.measure.growth import spread
from idcbench.measure.load import pool
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress

from .ground import Nodes, node_count, own_namespace, own_nodes
from .growth import Walk, measure_reads
from .sizes import scaled
from .startup import encoded_pod, start_pods, wait_until_running

pytestmark = [pytest.mark.idc_measuring, pytest.mark.idc(needs=["many-nodes"])]
NODES_FROM, NODES_TO, NODE_STEPS = 100, 1000, 4
PODS_TO, POD_STEPS = 10_000, 4
FOLD = 4
"""The last size is at least so many times the first, also where the cluster has more nodes than the scaled first."""
NODE_PODS = 50
"""As many pods a node, of the 110 that it takes: the pods of the probes, which go anywhere, find room there too."""
PROBES, PROBES_PER_S = 20, 40.0
AT_ONCE = 16
FILL_LIMIT_S = 1800.0


def test_growth_with_nodes(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Nodes join step by step; at each size the same few reads and pod starts are timed."""
    there = node_count(idc_client)
    first = max(there, scaled(NODES_FROM, idc_scale))
    last = max(scaled(NODES_TO, idc_scale), FOLD * first)
    walk = Walk(run=idc_record.run, by="nodes")
    one = f"/api/v1/nodes/{idc_client.list('Node')[0]['metadata']['name']}"
    with own_nodes(idc_cluster, idc_client, progress=idc_progress) as nodes, own_namespace(idc_client) as apart:
        for size in spread(first, last, steps=NODE_STEPS):
            nodes.grow_to(size - there)
            measure_reads(idc_cluster, walk, size, one=one, many="/api/v1/nodes")
            _probe(idc_cluster, walk, size, apart, idc_progress)
    walk.finish()


def test_growth_with_pods(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Pods are started step by step, on nodes of their own; at each size the same reads and pod starts are timed."""
    sizes = spread(1, scaled(PODS_TO, idc_scale, least=100), steps=POD_STEPS)
    walk = Walk(run=idc_record.run, by="pods")
    with own_nodes(idc_cluster, idc_client, progress=idc_progress) as nodes:
        nodes.grow_to(-(-sizes[-1] // NODE_PODS))
        with own_namespace(idc_client) as namespace, own_namespace(idc_client) as apart:
            there = 0
            for size in sizes:
                _fill(idc_cluster, nodes, namespace, there, size, idc_progress)
                pods = f"/api/v1/namespaces/{namespace}/pods"
                measure_reads(idc_cluster, walk, size, one=f"{pods}/fill-0", many=pods)
                _probe(idc_cluster, walk, size, apart, idc_progress)
                there = size
    walk.finish()


def _probe(cluster: LiveCluster, walk: Walk, size: int, namespace: str, progress: Progress) -> None:
    """Pod starts in a namespace apart, where those of the sizes before go on running."""
    started = start_pods(
        cluster, namespace, count=PROBES, rate_per_s=PROBES_PER_S, prefix=f"at-{size}-", progress=progress, seed=size
    )
    walk.add("growth.pod_startup", size, started.from_creation_ms("ready"))


def _fill(cluster: LiveCluster, nodes: Nodes, namespace: str, there: int, wanted: int, progress: Progress) -> None:
    """Have pods ``fill-0`` to ``fill-(wanted - 1)``, all running; as fast as the cluster takes them."""
    progress("pods are started", done=there, total=wanted, unit="pods")

    async def create() -> None:
        async with pool(cluster.access, size=AT_ONCE) as clients:
            path = f"/api/v1/namespaces/{namespace}/pods"
            bodies = (encoded_pod(f"fill-{number}", **nodes.selector) for number in range(there, wanted))
            await clients.closed_loop([clients.request("POST", path, body)] for body in bodies)

    cluster.portal.call(create(), timeout_s=FILL_LIMIT_S)
    wait_until_running(cluster, namespace, wanted, timeout_s=FILL_LIMIT_S, progress=progress)
