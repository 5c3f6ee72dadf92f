"""Pods that come at a fixed rate to a scheduler that waits for them: how long each waits for its node."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from idcbench.measure.load import Load, Pool, pool

from . import reading
from .arena import Arena
from .audit import AuditTail
from .ceiling import without_pods
from .checker import check
from .contenders import Contender, Running, running
from .drain import POLL_S, RoundError
from .outcome import Arrival
from .paths import collection
from .templates import Object
from .throughput import percentile_ms
from .workload import Workload

CONNECTIONS = 64
READY_LIMIT_S = 120.0
LAST_LIMIT_S = 60.0
_encode = msgspec.json.Encoder().encode


async def arrive(
    arena: Arena, workload: Workload, contender: Contender, *,
    folder: Path, pair: int, share: float, rate: float, duration_s: float,
) -> Arrival:  # fmt: skip
    """Create pods of ``workload`` at ``rate`` per second for ``duration_s``, on its state without pods.

    One pod before them tells when the scheduler is ready; it does not count. Raises
    :class:`~.drain.RoundError` as a drain does.
    """
    await arena.restore(without_pods(workload).name)
    name = f"{workload.name} at {rate:.0f}/s, {contender.name}"
    pods = itertools.islice(workload.measured.objects(), 1 + int(rate * duration_s))
    started = running(contender, arena, folder, gangs=workload.gangs.count > 0)
    with closing(AuditTail(arena.audit_log)) as tail:
        async with pool(arena.access, size=CONNECTIONS) as clients, started as scheduler:
            await clients.closed_loop([_creation(clients, next(pods))])
            await _until_bound(scheduler, tail, 1, limit_s=READY_LIMIT_S, name=name)
            first = next(iter(tail.trace.bound))
            load = await clients.open_loop([_creation(clients, pod) for pod in pods], rate_per_s=rate)
            await _until_bound(scheduler, tail, 1 + load.jobs, limit_s=LAST_LIMIT_S, name=name)
    found = await reading.read(arena.access)
    if violations := check(found.nodes, found.pods, found.groups, namespaces=found.namespaces):
        raise RoundError(f"{name}: {len(violations)} wrong placements, the first: {violations[0]}")
    trace = tail.trace
    waits = [at_ns - trace.created[pod] for pod, at_ns in trace.bound.items() if pod != first]
    return _arrival(arena, workload, contender, (pair, share, rate), np.array(waits, dtype=np.int64), load)


def _arrival(
    arena: Arena, workload: Workload, contender: Contender, at: tuple[int, float, float],
    waits: np.ndarray[tuple[int, ...], np.dtype[np.int64]], load: Load,
) -> Arrival:  # fmt: skip
    pair, share, rate = at
    return Arrival(
        row=workload.name,
        arena=arena.label,
        scheduler=contender.name,
        pair=pair,
        share=share,
        rate=rate,
        pods=load.jobs,
        p50_ms=percentile_ms(waits, 50),
        p99_ms=percentile_ms(waits, 99),
        max_ms=percentile_ms(waits, 100),
        lag_p99_ms=percentile_ms(load.lag_ns, 99) or 0.0,
    )


def _creation(clients: Pool, pod: Object) -> list[bytes]:
    return [clients.request("POST", collection(pod), _encode(pod))]


async def _until_bound(scheduler: Running, tail: AuditTail, pods: int, *, limit_s: float, name: str) -> None:
    ends_s = time.monotonic() + limit_s
    while True:
        tail.poll()
        if (bound := len(tail.trace.bound)) >= pods:
            return
        if scheduler.ended or time.monotonic() > ends_s:
            why = "the scheduler ended" if scheduler.ended else f"{limit_s:g} s passed"
            raise RoundError(
                f"{name}: {why} with {bound} of {pods} pods bound; its last lines ({scheduler.log}):\n  "
                f"{scheduler.last_words()}"
            )
        await asyncio.sleep(POLL_S)
