"""Where a measurement takes place: a namespace of its own, nodes of its own, and nothing left of either."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from idcbench.kube.apierror import ApiError
from idcbench.kube.crud import Client, Manifest, Manifests
from idcbench.kube.objects import Lease, Node, T
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch
from idcbench.measure.load import pool
from idcbench.plugin.live import LiveCluster
from idcbench.progress import Progress

MARK = {"kwok.x-k8s.io/node": "fake"}
"""The annotation by which KWOK knows the nodes that it is to simulate."""
GROUND = "idcbench.io/ground"
"""The label that ties nodes, and the pods that are to go there, to one measurement."""
LABELS = {"idcbench.io/suite": "performance"}
AT_ONCE = 8
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
READY_S, GONE_S = 300.0, 600.0
SIZES = {"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "200Gi"}
"""Of a node; 110 pods is the most that SIG Scalability's thresholds allow a node."""


@contextlib.contextmanager
def own_namespace(client: Client) -> Iterator[str]:
    """A namespace that pods can be created in at once; see :func:`own_namespaces` for what is left of it."""
    with own_namespaces(client, 1) as [name]:
        yield name


@contextlib.contextmanager
def own_namespaces(client: Client, count: int) -> Iterator[list[str]]:
    """So many of them. When the block is left, their pods are gone and they are on their way out.

    That takes their controller five seconds more, whatever is in them (``namespaceDeletionGracePeriod``), which are
    not waited for after each measurement; one that is about an idle cluster begins with :func:`wait_until_tidy`.
    """
    names = [f"idc-perf-{secrets.token_hex(3)}" for _ in range(count)]
    try:
        for name in names:
            client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": LABELS}})
            with contextlib.suppress(ApiError):  # the controller was faster
                client.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}, name)
        yield names
    finally:
        for name in names:
            client.delete("Namespace", name, missing_ok=True)  # first: from now on nothing is created there
            with contextlib.suppress(ApiError):  # else the namespace's controller does it, which takes seconds more
                client.delete_all("Pod", name)
        for name in names:
            client.wait_for_list("Pod", _none, name, what="gone", timeout_s=GONE_S)


def wait_until_tidy(client: Client) -> None:
    """Wait until nothing is left of the namespaces of measurements that are over."""
    mine = ",".join(f"{name}={value}" for name, value in LABELS.items())
    client.wait_for_list("Namespace", _none, label_selector=mine, what="gone", timeout_s=GONE_S)


class Nodes:
    """Simulated nodes of a measurement's own (capability ``many-nodes``); made by :func:`own_nodes`."""

    def __init__(self, cluster: LiveCluster, ground: str, progress: Progress) -> None:
        self._cluster = cluster
        self._progress = progress
        self.ground = ground
        self.count = 0

    def grow_to(self, count: int) -> None:
        """Have so many of them, all ready and open to pods. Raises ``TimeoutError`` when they are not in time."""
        fresh = [_node(self.ground, number) for number in range(self.count + 1, count + 1)]
        if fresh:
            self._cluster.portal.call(self._make(fresh), timeout_s=READY_S)
            self.count = count

    @property
    def selector(self) -> Manifest:
        """The part of a pod's spec that sends it to these nodes."""
        return {"nodeSelector": {GROUND: self.ground}}

    async def _make(self, fresh: list[Manifest]) -> None:
        async with pool(self._cluster.access, size=AT_ONCE) as clients:
            bodies = map(msgspec.json.encode, fresh)
            await clients.closed_loop([clients.request("POST", "/api/v1/nodes", body)] for body in bodies)
        names = {node["metadata"]["name"] for node in fresh}
        query = {"labelSelector": f"{GROUND}={self.ground}"}
        await self._await("simulated nodes get ready", Node, "/api/v1/nodes", {*names}, is_open, query)
        # KWOK lets no pod run on a node before it holds that node's lease, which may be ten seconds later
        await self._await("simulated nodes get their leases", Lease, LEASES, names, is_held, {})

    async def _await(
        self, what: str, kind: type[T], path: str, wanted: set[str], holds: Callable[[T], bool], query: dict[str, str]
    ) -> None:  # fmt: skip
        """Wait until ``holds`` for the object of each of these names."""
        total = len(wanted)
        async with ApiSession(self._cluster.access) as api:
            events = watch(api, kind, path, query=query)
            async with contextlib.aclosing(events):
                async for event in events:
                    if holds(event.object):
                        wanted.discard(event.object.metadata.name)
                        self._progress(what, done=total - len(wanted), total=total, unit="nodes")
                    if not wanted:
                        return


@contextlib.contextmanager
def own_nodes(cluster: LiveCluster, client: Client, *, progress: Progress) -> Iterator[Nodes]:
    """None at first, see :meth:`Nodes.grow_to`; all of them are removed when the block is left."""
    nodes = Nodes(cluster, f"perf-{secrets.token_hex(3)}", progress)
    try:
        yield nodes
    finally:
        client.delete_all("Node", label_selector=f"{GROUND}={nodes.ground}")


def _none(found: Manifests) -> bool:
    return not found


def is_open(node: Node) -> bool:
    """Whether pods can go there: ready, and no taint keeps them away."""
    ready = any(one.type == "Ready" and one.status == "True" for one in node.status.conditions or ())
    return ready and not any(taint.effect != "PreferNoSchedule" for taint in node.spec.taints or ())


def is_held(lease: Lease) -> bool:
    """Whether somebody says that the node lives."""
    return bool(lease.spec.holder_identity)


def node_count(client: Client) -> int:
    """How many nodes the cluster has now."""
    return len(client.list("Node"))


def _node(ground: str, number: int) -> dict[str, Any]:
    name = f"{ground}-{number:05}"
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", GROUND: ground} | LABELS
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": MARK},
        "status": {"capacity": SIZES, "allocatable": SIZES},
    }
