"""When a measurement may begin: the cluster is whole and the machine has come to rest."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from ..errors import ClusterError
from ..kube.access import Access
from ..kube.apierror import ApiError
from ..kube.listing import list_all
from ..kube.objects import Lease, Node
from ..kube.session import ApiSession
from ..progress import Progress, silent
from .bounding import machine_seconds

LIMIT_S = 180.0
QUIET_S = 2.0
"""So long every request through the endpoint is answered, and the processors are not busy on average."""
BUSY_MOST = 0.75
"""Of all processors: above it something still works off what was before, or is none of ours."""
POLL_S = 0.1
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
LEADERS = ("kube-controller-manager", "kube-scheduler")
CONDITION = (
    f"every API server is ready, {' and '.join(LEADERS)} have a leader that renews its lease, every node is Ready, and "
    f"for {QUIET_S:g} s the endpoint fails no request and the processors are at most {BUSY_MOST:.0%} busy"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """How it came to rest: how long that took, and how busy the processors were then (0 to 1)."""

    waited_s: float
    busy: float


async def wait_until_steady(
    access: Access, *, nodes: int, leaders: Sequence[str] = LEADERS, progress: Progress = silent,
    limit_s: float = LIMIT_S,
) -> Steady:  # fmt: skip
    """Wait until :data:`CONDITION` holds, with at least ``nodes`` nodes and a lease held for each of ``leaders``.

    Raises :class:`ClusterError` that says what did not come true within ``limit_s``.
    """
    began_s = time.monotonic()
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(ApiSession(access, timeout_s=1.0, read_retries=0))
        members = [
            await stack.enter_async_context(ApiSession(access, server=url, timeout_s=1.0, read_retries=0))
            for url in access.members
        ]
        while True:
            missing = await _missing(endpoint, members, nodes=nodes, leaders=leaders)
            busy = 0.0
            if not missing:
                missing, busy = await _restless(endpoint)
            waited_s = time.monotonic() - began_s
            if not missing:
                return Steady(waited_s=waited_s, busy=busy)
            if waited_s > limit_s:
                raise ClusterError(f"the cluster did not become steady within {limit_s:g} s: {missing}")
            progress(f"waiting for the cluster to be steady: {missing}")
            await asyncio.sleep(POLL_S)


async def _missing(
    endpoint: ApiSession, members: Sequence[ApiSession], *, nodes: int, leaders: Sequence[str]
) -> str:  # fmt: skip
    """What the cluster lacks; empty when it is whole."""
    try:
        for member in members:
            if await member.get("/readyz") != b"ok":
                return f"API server {member.server} is not ready"
        for name in leaders:
            lease = await endpoint.read(Lease, f"{LEASES}/{name}")
            if not is_held(lease, now=datetime.now(UTC)):
                return f"{name} has no leader"
        found = (await list_all(endpoint, Node, "/api/v1/nodes")).items
    except (ApiError, msgspec.MsgspecError) as error:
        return str(error)
    if len(found) < nodes:
        return f"{len(found)} of {nodes} nodes are there"
    unready = [node.metadata.name for node in found if not is_ready(node)]
    return f"{len(unready)} nodes are not Ready, {unready[0]} for one" if unready else ""


async def _restless(endpoint: ApiSession) -> tuple[str, float]:
    """What is not quiet for :data:`QUIET_S`, and how busy the processors were."""
    began_s, used_s = time.monotonic(), machine_seconds()
    while (passed_s := time.monotonic() - began_s) < QUIET_S:
        try:
            await endpoint.get("/readyz")
        except ApiError as error:
            return f"the endpoint failed a request: {error}", 0.0
        await asyncio.sleep(POLL_S)
    busy = (machine_seconds() - used_s) / passed_s / (os.cpu_count() or 1)
    return (f"the processors are {busy:.0%} busy; at most {BUSY_MOST:.0%} is right" if busy > BUSY_MOST else ""), busy


def is_held(lease: Lease, *, now: datetime) -> bool:
    """Whether somebody holds the lease and renewed it in time."""
    spec = lease.spec
    if not spec.holder_identity or not spec.renew_time:
        return False
    return (now - datetime.fromisoformat(spec.renew_time)).total_seconds() < (spec.lease_duration_seconds or 0)


def is_ready(node: Node) -> bool:
    """Whether its condition ``Ready`` is ``True``."""
    return any(one.type == "Ready" and one.status == "True" for one in node.status.conditions or ())
