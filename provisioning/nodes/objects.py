"""Simulated nodes in the API: created once, and awaited until every one of them is ready."""

from __future__ import annotations

import asyncio
from typing import Any

from ...cluster import ClusterSpec
from ...kube.apierror import ApiError
from ...kube.objects import Node
from ...kube.session import ApiSession
from ...kube.watch import watch
from ...progress import Progress
from .shapes import deal, read_shapes

PATH = "/api/v1/nodes"
CONNECTIONS = 16
CONFLICT, BUSY = 409, (0, 429, 500, 503, 504)


async def create(api: ApiSession, spec: ClusterSpec, *, progress: Progress) -> None:
    """Create the nodes that ``spec`` asks for, those that are there stay; return when all are ready.

    In the bench shape they are plain objects that say of themselves that they are ready; otherwise KWOK says so.
    """
    nodes = deal(spec.nodes, read_shapes())
    if spec.shape == "bench":
        nodes = [_ready_at_once(node) for node in nodes]
    waiting = iter(nodes)

    async def create_some() -> None:
        for node in waiting:
            progress("creating simulated nodes", done=nodes.index(node), total=len(nodes), unit="nodes")
            await _create(api, node)

    await asyncio.gather(*(create_some() for _ in range(CONNECTIONS)))
    if spec.shape == "full":
        await _await_ready(api, {node["metadata"]["name"] for node in nodes}, progress=progress)


async def _create(api: ApiSession, node: dict[str, Any]) -> None:
    """Create one node; again while the server is too busy, for which the caller has the time limit."""
    while True:
        try:
            await api.post(PATH, node, timeout_s=10.0)
        except ApiError as error:
            if error.status in BUSY:
                await asyncio.sleep(0.2)
                continue
            if error.status != CONFLICT:
                raise
        return


async def _await_ready(api: ApiSession, wanted: set[str], *, progress: Progress) -> None:
    if not wanted:
        return
    total = len(wanted)
    events = watch(api, Node, PATH)
    try:
        async for event in events:
            name = event.object.metadata.name
            if event.type != "DELETED" and name in wanted and is_schedulable(event.object):
                wanted.discard(name)
                progress("waiting for simulated nodes to be ready", done=total - len(wanted), total=total, unit="nodes")
            if not wanted:
                return
    finally:
        await events.aclose()


def is_schedulable(node: Node) -> bool:
    """Ready, and the controllers have taken their not-ready taint away."""
    ready = any(one.type == "Ready" and one.status == "True" for one in node.status.conditions or ())
    return ready and not any(taint.effect == "NoSchedule" for taint in node.spec.taints or ())


def _ready_at_once(node: dict[str, Any]) -> dict[str, Any]:
    condition = {"type": "Ready", "status": "True", "reason": "Simulated", "message": "a plain object"}
    return node | {"status": node["status"] | {"conditions": [condition]}}
