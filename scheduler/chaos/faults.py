"""What strikes: each fault acts, lasts, and is lifted; it gives what it did in a few words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from idcbench.errors import ClusterError
from idcbench.kube.apierror import ApiError
from idcbench.kube.objects import Lease
from idcbench.kube.session import ApiSession

from ..explain.asking import PORT
from ..explain.record import Explained
from ..service.leaserecord import micro_time
from .ground import API_SERVER, ETCD, LEASE, SCHEDULER, DrillError, Ground, until

TAKEN_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """``killed`` names the host whose scheduler was killed -9, ``server`` the one whose API server was."""

    what: str
    killed: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """``pod`` (``namespace/name``) is one that every scheduler knows; ``watched`` maps addresses of schedulers to the
    hosts whose API servers they watch."""

    pod: str
    watched: Mapping[str, str]


Strike = Callable[[Ground, random.Random, Scene], Awaitable[Struck]]


async def api_server_killed(ground: Ground, chance: random.Random, _scene: Scene) -> Struck:
    host = chance.choice(sorted(ground.hosts))
    await ground.faults.kill(host, API_SERVER)
    return Struck(what=f"API server of {host} killed -9", server=host)


async def etcd_leader_killed(ground: Ground, _chance: random.Random, _scene: Scene) -> Struck:
    host = await _etcd_leader(ground)
    await ground.faults.kill(host, ETCD)
    return Struck(what=f"etcd of {host}, which led, killed -9")


async def etcd_leader_moved(ground: Ground, chance: random.Random, _scene: Scene) -> Struck:
    host = await _etcd_leader(ground)
    to = chance.choice(sorted(ground.hosts.keys() - {host}))
    await ground.etcd.move(host, to)
    return Struck(what=f"lead of etcd moved from {host} to {to}")


async def leader_killed(ground: Ground, _chance: random.Random, _scene: Scene) -> Struck:
    host = await ground.leading_host()
    await ground.faults.kill(host, SCHEDULER)
    return Struck(what=f"scheduler of {host}, which led, killed -9", killed=host)


async def leader_frozen(ground: Ground, chance: random.Random, _scene: Scene) -> Struck:
    """SIGSTOP until another leads, and then some."""
    host, frozen = await ground.leading_host(), await ground.holder()
    more_s = chance.uniform(0.0, 4.0)
    await ground.faults.freeze(host, SCHEDULER)
    try:
        await _another_holds(ground, frozen)
        await asyncio.sleep(more_s)
    finally:
        await ground.faults.thaw(host, SCHEDULER)
    return Struck(what=f"scheduler of {host}, which led, stopped until {more_s:.1f} s after another held the lease")


async def lease_deleted(ground: Ground, _chance: random.Random, _scene: Scene) -> Struck:
    """Whoever is quickest takes it, while the old leader still believes in its own."""
    host = await ground.leading_host()
    await ground.api.delete(LEASE)
    taken_by = await ground.leading_host()
    return Struck(what=f"lease of {host} deleted; {taken_by} took it")


async def lease_given_away(ground: Ground, chance: random.Random, scene: Scene) -> Struck:
    """The lease is rewritten, several times, in the name of one and then another: each believes that it leads."""
    names = {host: await _identity(ground, address, scene.pod) for host, address in ground.hosts.items()}
    given = []
    for _ in range(3):
        host = await ground.leading_host()
        to = chance.choice(sorted(names.keys() - {host}))
        await _rewrite(ground, names[to])
        given.append(to)
        await asyncio.sleep(chance.uniform(0.1, 2.5))
    return Struck(what=f"lease rewritten in the name of {', then '.join(given)}")


async def watch_cut(ground: Ground, _chance: random.Random, scene: Scene) -> Struck:
    """The API server that the leader watches ends its watches, as one that is updated does."""
    host, server = await _leader_and_watched(ground, scene)
    await ground.faults.restart(server, API_SERVER)
    return Struck(what=f"API server of {server}, which the leader on {host} watched, restarted")


async def watch_stalled(ground: Ground, chance: random.Random, scene: Scene) -> Struck:
    """The API server that the leader watches stops, with every connection left open."""
    host, server = await _leader_and_watched(ground, scene)
    lasts_s = chance.uniform(4.0, 20.0)
    await ground.faults.freeze(server, API_SERVER)
    try:
        await asyncio.sleep(lasts_s)
    finally:
        await ground.faults.thaw(server, API_SERVER)
    return Struck(what=f"API server of {server}, which the leader on {host} watched, stopped for {lasts_s:.1f} s")


async def leader_cut_off(ground: Ground, chance: random.Random, _scene: Scene) -> Struck:
    """The leader's host is silent: its scheduler reaches its own API server alone, and that no quorum."""
    host = await ground.leading_host()
    lasts_s = chance.uniform(3.0, 12.0)
    await ground.faults.link(host, "silent")
    try:
        await asyncio.sleep(lasts_s)
    finally:
        await ground.faults.link(host, "up")
    return Struck(what=f"host {host}, whose scheduler led, cut off for {lasts_s:.1f} s")


STRIKES: dict[str, Strike] = {
    strike.__name__.replace("_", "-"): strike
    for strike in (
        *(leader_killed, api_server_killed, leader_frozen, etcd_leader_killed, lease_given_away),
        *(watch_stalled, leader_cut_off, etcd_leader_moved, lease_deleted, watch_cut),
    )
}


async def _leader_and_watched(ground: Ground, scene: Scene) -> tuple[str, str]:
    """The host of the scheduler that leads, and that of the API server which tells it of pods."""
    host = await ground.leading_host()
    return host, scene.watched.get(ground.hosts[host], host)


async def _etcd_leader(ground: Ground) -> str:
    host = await ground.etcd.leader()
    if host is None:
        raise DrillError("etcd has no leader, though the cluster was whole a moment ago")
    return host


async def _another_holds(ground: Ground, before: str) -> None:
    async def taken() -> bool:
        return await ground.holder() not in ("", before)

    await until(taken, f"another than {before} to hold the lease", limit_s=TAKEN_LIMIT_S)


async def _identity(ground: Ground, address: str, pod: str) -> str:
    """Who a scheduler is in the lease, by its own word."""
    async with ApiSession(ground.access, server=f"https://{address}:{PORT}") as api:
        return (await api.read(Explained, f"/debug/explain/{pod}")).scheduler


async def _rewrite(ground: Ground, identity: str) -> None:
    """Put a name into the lease, whoever renews it meanwhile. Raises :class:`ClusterError`."""
    for _ in range(20):
        lease = await ground.api.read(Lease, LEASE)
        now = micro_time()
        spec: dict[str, Any] = {"holderIdentity": identity, "renewTime": now, "acquireTime": now}
        body = {"metadata": {"resourceVersion": lease.metadata.resource_version}, "spec": spec}
        try:
            await ground.api.patch(LEASE, body)
        except ApiError as error:
            if error.status != 409:
                raise
        else:
            return
    raise ClusterError("the lease could not be rewritten in 20 tries: somebody writes it all the time")
