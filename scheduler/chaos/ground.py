"""The cluster that is broken, and the waiting until it is whole again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from idcbench.cluster import Faults
from idcbench.errors import IdcError
from idcbench.kube.access import Access
from idcbench.kube.apierror import ApiError
from idcbench.kube.objects import Lease
from idcbench.kube.session import ApiSession

from ..explain.asking import PORT
from .etcd import Etcd

SCHEDULER, API_SERVER, ETCD = "idcbench-scheduler", "kube-apiserver", "etcd"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
LEASE = f"{LEASES}/kube-scheduler"
WHOLE_LIMIT_S = 120.0
POLL_S = 0.2


class DrillError(IdcError):
    """Something that had to come about did not: the text says what was waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """``hosts`` maps names to addresses; on each are an etcd, an API server and a scheduler. ``audit_logs`` by host."""

    access: Access
    faults: Faults
    hosts: Mapping[str, str]
    audit_logs: Mapping[str, Path]
    etcd: Etcd
    api: ApiSession

    async def holder(self) -> str:
        """Who holds the schedulers' lease; empty when nobody does, or nobody can say."""
        try:
            return (await self.api.read(Lease, LEASE, timeout_s=2.0)).spec.holder_identity or ""
        except ApiError:
            return ""

    async def leading_host(self) -> str:
        """The host whose scheduler leads. Raises :class:`DrillError` when none does for long."""
        found = ""

        async def led() -> bool:
            nonlocal found
            found = host_of(await self.holder())
            return found in self.hosts

        await until(led, "a scheduler to lead")
        return found

    async def until_whole(self) -> None:
        """Wait until everything runs, all servers and schedulers are ready, etcd is led and the lease held."""
        await until(self._runs, "every component to run")
        for address in self.hosts.values():
            await until(partial(self._ready, f"https://{address}:6443"), f"the API server of {address}")
            await until(partial(self._ready, f"https://{address}:{PORT}"), f"the scheduler of {address}")
        await until(self._etcd_led, "an etcd leader")
        await self.leading_host()

    async def _runs(self) -> bool:
        wanted = (SCHEDULER, API_SERVER, ETCD)
        return all(one.state == "running" for one in await self.faults.components() if one.component in wanted)

    async def _ready(self, url: str) -> bool:
        async with ApiSession(self.access, server=url, timeout_s=3.0, read_retries=0) as api:
            try:
                await api.get("/readyz")
            except ApiError:
                return False
        return True

    async def _etcd_led(self) -> bool:
        return await self.etcd.leader() is not None


def host_of(identity: str) -> str:
    """The host in the identity of a lease's holder (``HOSTNAME_UUID``)."""
    return identity.partition("_")[0]


async def until(holds: Callable[[], Awaitable[bool]], what: str, *, limit_s: float = WHOLE_LIMIT_S) -> None:
    """Wait until something holds. Raises :class:`DrillError` when it does not in time."""
    ends_s = time.monotonic() + limit_s
    while not await holds():
        if time.monotonic() > ends_s:
            raise DrillError(f"waited {limit_s:g} s for {what}, in vain")
        await asyncio.sleep(POLL_S)
