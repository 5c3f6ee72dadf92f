"""How fast namespaces come and go with what is in them, and how fast dependents of a deleted owner are collected."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from idcbench.kube.crud import Client, Manifest
from idcbench.kube.listing import list_all
from idcbench.kube.objects import Partial
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch
from idcbench.measure.load import Pool, pool
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress
from idcbench.runs.directory import Run

from .ground import GONE_S, GROUND, LABELS, own_namespace
from .sizes import scaled

pytestmark = pytest.mark.idc_measuring
NAMESPACES, CONTENTS = 100, 20
DEPENDENTS = 500
AT_ONCE = 8
LIMIT_S = 600.0
PATH = "/api/v1/namespaces"
Step = Callable[[Pool], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """When each object was heard to be gone (CLOCK_MONOTONIC), and when the deletion began."""

    begun_ns: int
    gone_ns: Sequence[int]

    @property
    def per_second(self) -> float:
        """From the beginning to the last."""
        return len(self.gone_ns) * 1e9 / (max(self.gone_ns) - self.begun_ns)

    @property
    def each_ms(self) -> list[float]:
        return [(at - self.begun_ns) / 1e6 for at in self.gone_ns]


def test_namespace_throughput(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Namespaces are created, filled with ConfigMaps, and deleted all at once."""
    count = scaled(NAMESPACES, idc_scale, least=3)
    labels = {"namespaces": str(count), "contents": str(CONTENTS)}
    with _swept(idc_client) as ground:
        names = [f"idc-{ground}-{number}" for number in range(count)]
        selector = f"{GROUND}={ground}"
        idc_progress("namespaces are created", total=count, unit="namespaces")
        created_per_s = idc_cluster.portal.call(_create(idc_cluster, names, ground), timeout_s=LIMIT_S)
        idc_progress("namespaces are deleted", total=count, unit="namespaces")
        deleting = _until_gone(idc_cluster, PATH, selector, _all_deleted([f"{PATH}/{name}" for name in names]))
        gone = idc_cluster.portal.call(deleting, timeout_s=LIMIT_S)
    assert len(gone.gone_ns) == count, "each namespace that was created is seen to go"
    _keep_rate(
        idc_record.run, "namespace.creation_throughput", created_per_s, labels, "namespaces/s",
        f"namespaces created by {AT_ONCE} clients at once, each as soon as its last was answered",
    )  # fmt: skip
    _keep_rate(
        idc_record.run, "namespace.deletion_throughput", gone.per_second, labels, "namespaces/s",
        "namespaces deleted, from the first request to the event that says the last is gone with its contents",
    )  # fmt: skip
    idc_record.run.series(
        "namespace.deletion", unit="ms", better="lower", labels=labels,
        definition="from the first request of a deletion of all at once to the event that says this one is gone",
    ).add_many(gone.each_ms, gone.gone_ns)  # fmt: skip


def test_garbage_collection(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """An owner of many ConfigMaps is deleted, in the background, another in the foreground; all are collected."""
    count = scaled(DEPENDENTS, idc_scale, least=5)
    with own_namespace(idc_client) as namespace:
        path = f"{PATH}/{namespace}/configmaps"
        for propagation in ("Background", "Foreground"):
            owner = idc_client.create(_config_map("owner"), namespace)
            bodies = [_config_map(f"dependent-{number}", owner=owner) for number in range(count)]
            idc_progress("dependents are created", total=count, unit="objects")
            idc_cluster.portal.call(_posted(idc_cluster, path, bodies), timeout_s=LIMIT_S)
            idc_progress("dependents are collected", total=count, unit="objects")
            options = msgspec.json.encode({"propagationPolicy": propagation})
            deleting = _until_gone(idc_cluster, path, f"{GROUND}=gc", _all_deleted([f"{path}/owner"], options))
            gone = idc_cluster.portal.call(deleting, timeout_s=LIMIT_S)
            assert len(gone.gone_ns) == count + 1, f"{propagation}: the owner and each dependent are seen to go"
            _keep_rate(
                idc_record.run, "gc.throughput", gone.per_second,
                {"dependents": str(count), "propagation": propagation.lower()}, "objects/s",
                "an owner and its dependents, from the request that deletes the owner to the event that says the last"
                " is gone",
            )  # fmt: skip


@contextlib.contextmanager
def _swept(client: Client) -> Iterator[str]:
    """The value of a label; whatever namespaces still bear it are deleted, and gone, when the block is left."""
    ground = f"perf-{secrets.token_hex(3)}"
    try:
        yield ground
    finally:
        left = [one["metadata"]["name"] for one in client.list("Namespace", label_selector=f"{GROUND}={ground}")]
        for name in left:
            client.delete("Namespace", name, missing_ok=True)
        for name in left:
            client.wait_gone("Namespace", name, timeout_s=GONE_S)


async def _create(cluster: LiveCluster, names: Sequence[str], ground: str) -> float:
    """Namespaces, then what is in them; how many of the first were created in a second."""
    labels = LABELS | {GROUND: ground}
    bodies = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}} for name in names]
    per_s = await _posted(cluster, PATH, bodies)
    contents = [_config_map(f"content-{number}") for number in range(CONTENTS)]
    for name in names:
        await _posted(cluster, f"{PATH}/{name}/configmaps", contents)
    return per_s


async def _posted(cluster: LiveCluster, path: str, bodies: Sequence[Manifest]) -> float:
    """Create them all, a few at once; how many in a second."""
    async with pool(cluster.access, size=AT_ONCE) as clients:
        load = await clients.closed_loop(
            [clients.request("POST", path, msgspec.json.encode(body))] for body in bodies
        )  # fmt: skip
    return load.jobs_per_s


def _all_deleted(paths: Sequence[str], options: bytes = b"") -> Step:
    async def delete(clients: Pool) -> None:
        await clients.closed_loop([clients.request("DELETE", path, options)] for path in paths)

    return delete


async def _until_gone(cluster: LiveCluster, path: str, selector: str, delete: Step) -> Gone:
    """Do ``delete``, and wait until all objects that ``selector`` finds now are gone."""
    query = {"labelSelector": selector}
    gone_ns: dict[str, int] = {}
    async with ApiSession(cluster.access) as api, pool(cluster.access, size=AT_ONCE) as clients:
        there = await list_all(api, Partial, path, query=query)
        wanted = {each.metadata.name for each in there.items}
        begun_ns = time.monotonic_ns()
        events = watch(api, Partial, path, query=query, start=there)
        async with asyncio.TaskGroup() as tasks, contextlib.aclosing(events):
            tasks.create_task(delete(clients))
            async for event in events:
                if event.type == "DELETED":
                    gone_ns[event.object.metadata.name] = event.received_ns
                if wanted <= gone_ns.keys():
                    break
    return Gone(begun_ns=begun_ns, gone_ns=[*gone_ns.values()])


def _config_map(name: str, *, owner: Manifest | None = None) -> Manifest:
    metadata: Manifest = {"name": name, "labels": LABELS | {GROUND: "gc"}}
    if owner is not None:
        uid = owner["metadata"]["uid"]
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": uid}
        metadata["ownerReferences"] = [reference | {"blockOwnerDeletion": True}]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"key": "value"}}


def _keep_rate(run: Run, name: str, value: float, labels: dict[str, str], unit: str, definition: str) -> None:
    run.series(name, unit=unit, better="higher", labels=labels, definition=definition).add(value)
