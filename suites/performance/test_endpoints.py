"""How long it takes until a pod that is ready can be found behind its Service, as a client sees it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from idcbench.kube.crud import Client
from idcbench.kube.objects import EndpointSlice
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress

from .ground import own_namespace
from .sizes import scaled
from .startup import keep_lag, start_pods

pytestmark = pytest.mark.idc_measuring
PODS, RATE_PER_S = 500, 20.0
SERVICE = "backend"
LABELS = {"app.kubernetes.io/name": SERVICE}
SEEN_S, SHOWN_S = 30.0, 600.0
DEFINITION = (
    "from the receipt of the event that says a pod is ready to the receipt of the EndpointSlice that first names it as"
    " ready, two watches on one clock; below 0 when the slice was heard of first"
)


def test_endpoint_propagation(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Pods of a Service become ready at random times; each is soon named in its EndpointSlices."""
    count = scaled(PODS, idc_scale, least=5)
    with own_namespace(idc_client) as namespace, _hearing(idc_cluster, idc_client, namespace, count) as shown:
        started = start_pods(
            idc_cluster, namespace, count=count, rate_per_s=RATE_PER_S, labels=LABELS, progress=idc_progress
        )
        shown_ns = shown.result(SHOWN_S)
    assert len(started.pods.names) == count, "each pod that was created is seen to be ready"
    arrived_ns = np.array([shown_ns[name] for name in started.pods.names], dtype=np.int64)
    idc_record.run.series(
        "endpoints.propagation", unit="ms", better="lower", signed=True, definition=DEFINITION,
        labels={"pods": str(count), "rate": f"{RATE_PER_S:g}"},
    ).add_many((arrived_ns - started.pods.step("ready")) / 1e6, arrived_ns.tolist())  # fmt: skip
    for objection in started.objections:
        idc_record.run.invalidate(f"endpoint propagation: {objection}")
    keep_lag(idc_record.run, started.pods, {"of": "endpoint propagation"})


@contextlib.contextmanager
def _hearing(cluster: LiveCluster, client: Client, namespace: str, count: int) -> Iterator[Future[dict[str, int]]]:
    """A Service, and a watch on its slices that is at work; in the end it gives the time each pod was first shown."""
    port = {"port": 80, "targetPort": 8080}
    client.create(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": SERVICE},
         "spec": {"selector": LABELS, "ports": [port]}}, namespace,
    )  # fmt: skip
    heard, given_up = threading.Event(), threading.Event()
    with ThreadPoolExecutor(max_workers=1) as threads:
        shown = threads.submit(
            cluster.portal.call, _shown(cluster, namespace, count, heard, given_up), timeout_s=SHOWN_S
        )
        try:
            assert heard.wait(SEEN_S), f"no EndpointSlice of Service {SERVICE} within {SEEN_S:g} s"
            yield shown
        finally:
            given_up.set()
            client.delete("Service", SERVICE, namespace)  # its last event ends a watch that still waits


async def _shown(
    cluster: LiveCluster, namespace: str, count: int, heard: threading.Event, given_up: threading.Event
) -> dict[str, int]:  # fmt: skip
    """When each pod was first named as ready, of so many; ``heard`` is set by the empty slice that comes first."""
    shown: dict[str, int] = {}
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    async with ApiSession(cluster.access) as api, contextlib.aclosing(watch(api, EndpointSlice, path)) as events:
        async for event in events:
            for endpoint in event.object.endpoints or ():
                if endpoint.conditions.ready and endpoint.target_ref is not None:
                    shown.setdefault(endpoint.target_ref.name, event.received_ns)
            heard.set()
            if len(shown) == count or given_up.is_set():
                break
    return shown
