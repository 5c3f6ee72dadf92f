"""How long it takes to get all pods of a large namespace, and how many bytes, in each of the ways there are."""

from __future__ import annotations

import random

import pytest

from idcbench.kube.crud import Client
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress
from idcbench.runs.directory import Run

from .api_calls import deletion, make, pods_call
from .ground import own_namespace
from .listing import LIMIT_S, MODES, Listed, Lister
from .sizes import scaled

pytestmark = pytest.mark.idc_measuring
PODS, ROUNDS = 10_000, 5
FILL_LIMIT_S = 1800.0
EACH_ONCE = b'"name":"load-pod-'
WAYS = {
    "paged": "in pages of 500",
    "newest": "in one answer, resourceVersion unset: as new as etcd, from there or from a cache confirmed to be so",
    "cached": "in one answer from the API server's cache, resourceVersion=0",
    "streamed": "as the first events of a watch (sendInitialEvents) until their bookmark",
}


def test_list(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Pods of usual size are listed in every way, in turns; each way gives all of them."""
    count = scaled(PODS, idc_scale, least=20)
    order = random.Random(1)
    with own_namespace(idc_client) as namespace:
        create = pods_call(namespace)
        idc_progress("pods are created", total=count, unit="pods")
        idc_cluster.portal.call(make(idc_cluster.access, create, range(count)), timeout_s=FILL_LIMIT_S)
        lister = Lister(idc_cluster.access, create.path)
        for turn in range(ROUNDS + 1):
            idc_progress("lists are read", done=turn, total=ROUNDS + 1, unit="rounds")
            for mode in order.sample([*MODES], len(MODES)):
                listed = idc_cluster.portal.call(MODES[mode](lister), timeout_s=LIMIT_S)
                found = listed.count(EACH_ONCE)
                assert found == count, f"{mode}: {count} pods are there, the list has {found}"
                if turn:  # the first warms the connection's path and the caches
                    _keep(idc_record.run, listed, mode, {"mode": mode, "objects": str(count)})
        idc_progress("pods are deleted", total=count, unit="pods")
        idc_cluster.portal.call(make(idc_cluster.access, deletion(create), range(count)), timeout_s=FILL_LIMIT_S)


def _keep(run: Run, listed: Listed, mode: str, labels: dict[str, str]) -> None:
    run.series(
        "list.latency", unit="ms", better="lower", labels=labels,
        definition=f"all pods of a namespace {WAYS[mode]}: from the first request, on an open connection, to the last"
        " byte; nothing is decoded",
    ).add(listed.latency_ms, listed.ended_ns)  # fmt: skip
    run.series(
        "list.bytes", unit="MiB", better="lower", labels=labels, definition="bytes of the answers' bodies, uncompressed"
    ).add(listed.size_bytes / 2**20, listed.ended_ns)
