"""When a cluster counts as ready, seen by a client: first write acknowledged, members and leaders, nodes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec

from ...cluster import ClusterSpec
from ...errors import ClusterError
from ...kube.access import Access
from ...kube.apierror import ApiError
from ...kube.objects import Lease
from ...kube.session import ApiSession
from ...progress import Progress
from ..nodes import objects
from . import own_scheduler
from .control import ask
from .layout import Milestones, StateDirectory
from .process import last_lines

POLL_S = 0.1
LIMIT_S = 240.0
WORN_OUT = 4
"""A component that exited this often before the cluster was ready will not get better."""
LEASES = ("kube-controller-manager", "kube-scheduler")
NAMESPACE = "idcbench-system"


async def until_ready(
    state: StateDirectory, spec: ClusterSpec, access: Access, *, started_s: float, progress: Progress
) -> Milestones:
    """Wait until the cluster is whole. ``started_s`` is CLOCK_MONOTONIC.

    Raises :class:`ClusterError` that names the component which keeps it from that, with its last log lines.
    """
    waiting = asyncio.ensure_future(_milestones(state, spec, access, started_s=started_s, progress=progress))
    watching = asyncio.ensure_future(_watch_health(state))
    try:
        done, _ = await asyncio.wait({waiting, watching}, timeout=LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        if watching in done:
            raise await watching
        if waiting not in done:
            raise ClusterError(f"the cluster is not ready after {LIMIT_S:g} s: {await _whose_fault(state)}")
        return await waiting
    finally:
        for task in (waiting, watching):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ClusterError, ApiError):
                await task


async def _milestones(
    state: StateDirectory, spec: ClusterSpec, access: Access, *, started_s: float, progress: Progress
) -> Milestones:
    async with ApiSession(access, timeout_s=2.0, read_retries=0) as api:
        progress("waiting for the first write through the endpoint")
        await _until(_write, api)
        first_write_s = time.monotonic() - started_s
        await _members_ready(access, progress=progress)
        if spec.scheduler != "kube-scheduler":
            progress("giving the scheduler its roles")
            await own_scheduler.allow(api, spec)
            await own_scheduler.start(state, spec)
        if spec.shape == "full":
            progress("waiting for the leaders of controller-manager and scheduler")
            await _until(partial(_led, leases=(*LEASES, *own_scheduler.leases(spec))), api)
        members_s = time.monotonic() - started_s
        if spec.shape == "full" and spec.nodes:
            await ask(state.control, "start", host="clients", component="kwok")
        await objects.create(api, spec, progress=progress)
        return Milestones(first_write_s=first_write_s, members_s=members_s, ready_s=time.monotonic() - started_s)


async def _members_ready(access: Access, *, progress: Progress) -> None:
    for done, member in enumerate(access.members):
        progress("waiting for every API server to be ready", done=done, total=len(access.members), unit="API servers")
        async with ApiSession(access, server=member, timeout_s=2.0, read_retries=0) as api:
            await _until(_readyz, api)


async def _until(holds: Callable[[ApiSession], Awaitable[bool]], api: ApiSession) -> None:
    while not await holds(api):
        await asyncio.sleep(POLL_S)


async def _readyz(api: ApiSession) -> bool:
    with contextlib.suppress(ApiError):
        return await api.get("/readyz") == b"ok"
    return False


async def _write(api: ApiSession) -> bool:
    """Create or touch a namespace of ours, by server-side apply; whether the write was acknowledged."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    with contextlib.suppress(ApiError, OSError):
        await api.patch(
            f"/api/v1/namespaces/{NAMESPACE}",
            body,
            content_type="application/apply-patch+yaml",
            query={"fieldManager": "idcbench", "force": "true"},
        )
        return True
    return False


async def _led(api: ApiSession, *, leases: Sequence[str]) -> bool:
    """Whether all leases are held and were renewed since this cluster started: a kept one remembers old holders."""
    try:
        found = [
            await api.read(Lease, f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}")
            for name in leases
        ]
    except (ApiError, msgspec.MsgspecError):
        return False
    return all(lease.spec.holder_identity and _is_fresh(lease) for lease in found)


def _is_fresh(lease: Lease) -> bool:
    renewed = datetime.fromisoformat(lease.spec.renew_time or "1970-01-01T00:00:00+00:00")
    return (datetime.now(UTC) - renewed).total_seconds() < (lease.spec.lease_duration_seconds or 0)


async def _watch_health(state: StateDirectory) -> ClusterError:
    """Return the reason as soon as it is clear that the cluster will not come up."""
    while True:
        await asyncio.sleep(0.5)
        if not state.is_alive():
            said = "\n".join(last_lines(state.logs / "supervisor.log", 5))
            return ClusterError(f"the cluster's supervisor ended: {said or 'it was killed'}")
        with contextlib.suppress(ClusterError):
            for component in await ask(state.control, "components", timeout_s=5):
                if component["restarts"] >= WORN_OUT:
                    return ClusterError(_fault_of(state, component["host"], component["component"], "keeps exiting"))


async def _whose_fault(state: StateDirectory) -> str:
    """The first component in the order of starting that does not run or never got ready, with its last words."""
    components = await ask(state.control, "components", timeout_s=5)
    down = [one for one in components if one["state"] in ("waiting", "stopped") and one["restarts"]]
    suspect = (down or [one for one in components if one["component"] == "kube-apiserver"])[0]
    return _fault_of(state, suspect["host"], suspect["component"], f"is {suspect['state']}")


def _fault_of(state: StateDirectory, host: str, component: str, what: str) -> str:
    log = state.logs / host / f"{component}.log"
    said = "\n  ".join(last_lines(log, 8)) or "nothing"
    return f"{component} on {host} {what}; its last log lines:\n  {said}"
