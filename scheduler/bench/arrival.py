"""Pods that come at a fixed rate to a scheduler that waits for them: how long each waits for its node."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from idcbench.kube.connection import Endpoint
from idcbench.measure.arrivals import constant
from idcbench.measure.load import connect
from idcbench.measure.open_loop import OpenLoop, Outcome, Sent

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
ANSWER_LIMIT_S = 10.0
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
    first_pod, *pods = itertools.islice(workload.measured.objects(), 1 + int(rate * duration_s))
    started = running(contender, arena, folder, gangs=workload.gangs.count > 0)
    with closing(AuditTail(arena.audit_log)) as tail:
        async with started as scheduler:
            await _created([first_pod], arena, rate=rate, name=name)
            await _until_bound(scheduler, tail, 1, limit_s=READY_LIMIT_S, name=name)
            first = next(iter(tail.trace.bound))
            sent = await _created(pods, arena, rate=rate, name=name)
            await _until_bound(scheduler, tail, 1 + len(sent), limit_s=LAST_LIMIT_S, name=name)
    found = await reading.read(arena.access)
    if violations := check(found.nodes, found.pods, found.groups, namespaces=found.namespaces):
        raise RoundError(f"{name}: {len(violations)} wrong placements, the first: {violations[0]}")
    trace = tail.trace
    waits = [at_ns - trace.created[pod] for pod, at_ns in trace.bound.items() if pod != first]
    return _arrival(arena, workload, contender, (pair, share, rate), np.array(waits, dtype=np.int64), sent)


def _arrival(
    arena: Arena, workload: Workload, contender: Contender, at: tuple[int, float, float],
    waits: npt.NDArray[np.int64], sent: Sent,
) -> Arrival:  # fmt: skip
    pair, share, rate = at
    return Arrival(
        row=workload.name,
        arena=arena.label,
        scheduler=contender.name,
        pair=pair,
        share=share,
        rate=rate,
        pods=len(sent),
        p50_ms=percentile_ms(waits, 50),
        p99_ms=percentile_ms(waits, 99),
        max_ms=percentile_ms(waits, 100),
        lag_p99_ms=percentile_ms(sent["started_ns"] - sent["planned_ns"], 99) or 0.0,
    )


async def _created(pods: Sequence[Object], arena: Arena, *, rate: float, name: str) -> Sent:
    """Create the pods, one every ``1 / rate`` seconds. Raises :class:`~.drain.RoundError` when one is not created."""
    endpoint, headers = Endpoint.of(arena.access.server, arena.access), arena.access.headers()
    requests = [endpoint.request("POST", collection(pod), headers=headers, body=_encode(pod)) for pod in pods]
    loop = OpenLoop(
        partial(connect, endpoint, arena.access), connections=min(CONNECTIONS, len(pods)), deadline_s=ANSWER_LIMIT_S,
        compose=lambda _, number: requests[number],
    )  # fmt: skip
    numbers = np.arange(len(pods), dtype=np.uint32)
    planned = constant(rate, len(pods) / rate)
    try:
        await loop.open()
        sent = await loop.run(planned, numbers, np.zeros(len(pods), dtype=np.uint8), start_ns=time.monotonic_ns())
    finally:
        loop.close()
    if (wrong := sent[sent["outcome"] != Outcome.OK]).size:
        what = f"{Outcome(int(wrong['outcome'][0])).name.lower()}, HTTP status {wrong['status'][0]}"
        raise RoundError(f"{name}: {len(wrong)} of {len(sent)} pods were not created, the first: {what}")
    return sent


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
