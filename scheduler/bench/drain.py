"""One round: a copy of the workload, a scheduler, and the clock from its first binding to its last event."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from idcbench.errors import IdcError
from idcbench.measure.bounding import Meter

from . import reading
from .arena import Arena
from .audit import AuditTail, Trace
from .checker import check
from .churning import churning
from .contenders import Contender, Running, running
from .outcome import Round
from .throughput import decay, kube_average, percentile_ms, wall_rate
from .workload import MEASURED, Workload

POLL_S = 0.05
EVENTS_LIMIT_S = 10.0
"""After the last binding events are waited for so long; what has not come by then is missing."""
START_LIMIT_S, STUCK_S = 180.0, 90.0
"""Without a first binding for so long, or without a further one, a round has failed."""


class RoundError(IdcError):
    """A round that is no measurement: the scheduler ended, got stuck, or placed a pod where it must not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was read while the scheduler worked. ``usage`` is a course of wall-clock ns and processor seconds."""

    started_ns: int
    usage: tuple[tuple[int, float], ...]
    peak_bytes: int
    cores: dict[str, float]
    trace: Trace

    def cpu_s(self, at_ns: int) -> float:
        """Processor time used by then, between two readings in proportion."""
        times, used = zip(*self.usage, strict=True)
        return float(np.interp(at_ns, times, used))


async def drain(
    arena: Arena, workload: Workload, contender: Contender, *, folder: Path, pair: int, state: str | None = None
) -> Round:
    """Measure one drain of the kept ``state`` (that of the workload's name by default), and check what came of it.

    Raises :class:`RoundError`; the scheduler's log stays in ``folder``.
    """
    await arena.restore(state or workload.name)
    gangs = workload.gangs.count > 0
    async with churning(arena.access, workload.churn), running(contender, arena, folder, gangs=gangs) as scheduler:
        with closing(AuditTail(arena.audit_log)) as tail:
            watched = await _watch(arena, scheduler, tail, workload.pods, name=f"{workload.name}, {contender.name}")
    found = await reading.read(arena.access)
    if violations := check(found.nodes, found.pods, found.groups, namespaces=found.namespaces):
        shown = "\n  ".join(violations[:10])
        raise RoundError(f"{workload.name}, {contender.name}: {len(violations)} wrong placements:\n  {shown}")
    if contradictions := _contradictions(watched.trace, found):
        raise RoundError(f"{workload.name}, {contender.name}: {contradictions[:5]}")
    return _round(workload, arena, contender, pair, watched, found)


async def _watch(arena: Arena, scheduler: Running, tail: AuditTail, pods: int, *, name: str) -> Watched:
    started_ns, moved_s = time.time_ns(), time.monotonic()
    meter: Meter | None = None
    course: list[tuple[int, float]] = [(started_ns, 0.0)]
    cores: dict[str, float] = {}
    seen = (0, 0)
    while True:
        used = scheduler.usage()
        course.append((time.time_ns(), used.cpu_s))
        tail.poll()
        trace = tail.trace
        if (now := (len(trace.bound), trace.event_writes)) != seen:
            moved_s = time.monotonic() if now[0] != seen[0] else moved_s
            seen = now
            if meter is None:
                meter = Meter.start(_processes(arena, scheduler))
            cores = meter.cores()
        if trace.bound and _is_over(trace, pods, since_s=time.monotonic() - moved_s):
            return Watched(
                started_ns=started_ns, usage=tuple(course), peak_bytes=used.peak_bytes, cores=cores, trace=trace
            )
        if scheduler.ended:
            raise RoundError(
                f"{name}: the scheduler ended with {scheduler.process.returncode}, {len(trace.bound)} of {pods} pods "
                f"bound; its last lines ({scheduler.log}):\n  {scheduler.last_words()}"
            )
        limit_s = STUCK_S if trace.bound else START_LIMIT_S
        if time.monotonic() - moved_s > limit_s:
            raise RoundError(
                f"{name}: nothing was bound for {limit_s:g} s, {len(trace.bound)} of {pods} pods are; refused: "
                f"{trace.refused or 'nothing'}; the scheduler's last lines ({scheduler.log}):\n  "
                f"{scheduler.last_words()}"
            )
        await asyncio.sleep(POLL_S)


def _contradictions(trace: Trace, found: reading.Found) -> list[str]:
    """Where the log of bindings and the pods at the end do not agree; a pod may be gone, but not bound otherwise."""
    measured = [pod for pod in found.pods if pod.metadata.name.startswith(MEASURED)]
    unlogged = (pod.key for pod in measured if pod.spec.node_name and pod.key not in trace.bound)
    unplaced = (pod.key for pod in measured if pod.key in trace.bound and not pod.spec.node_name)
    return [
        *(f"{key} was bound twice" for key in trace.bound_twice),
        *(f"{key} has a node, and no binding" for key in unlogged),
        *(f"{key} was bound, and has no node" for key in unplaced),
    ]


def _processes(arena: Arena, scheduler: Running) -> dict[str, int]:
    return {"scheduler": scheduler.process.pid, "driver": os.getpid(), **arena.servers()}


def _is_over(trace: Trace, pods: int, *, since_s: float) -> bool:
    """``since_s`` is how long ago the last binding was."""
    if len(trace.bound) < pods:
        return False
    return trace.scheduled >= pods or since_s > EVENTS_LIMIT_S


def _round(
    workload: Workload, arena: Arena, contender: Contender, pair: int, watched: Watched, found: reading.Found
) -> Round:
    trace = watched.trace
    bound = np.array(list(trace.bound.values()), dtype=np.int64)
    told = {pod: trace.written[event] for pod, event in found.scheduled.items() if event in trace.written}
    late = [told[pod] - at_ns for pod, at_ns in trace.bound.items() if pod in told]
    end_ns = max(int(bound.max()), max((at for pod, at in told.items() if pod in trace.bound), default=0))
    ready_cpu_s = watched.cpu_s(int(bound.min()))
    waits = np.array(
        [at_ns - max(trace.created.get(pod, 0), watched.started_ns) for pod, at_ns in trace.bound.items()],
        dtype=np.int64,
    )
    return Round(
        row=workload.name,
        arena=arena.label,
        scheduler=contender.name,
        pair=pair,
        pods=workload.pods,
        bound=len(bound),
        wall_s=(end_ns - int(bound.min())) / 1e9,
        rate=wall_rate(bound, end_ns=end_ns),
        kube_average=kube_average(bound),
        startup_s=(int(bound.min()) - watched.started_ns) / 1e9,
        startup_cpu_s=ready_cpu_s,
        cpu_ms_per_pod=(watched.cpu_s(end_ns) - ready_cpu_s) / len(bound) * 1000,
        peak_memory_bytes=watched.peak_bytes,
        events_written=trace.event_writes,
        events_missing=len(trace.bound) - len(late),
        scheduled_late_s=max(late, default=0) / 1e9,
        wait_p50_ms=percentile_ms(waits, 50),
        wait_p99_ms=percentile_ms(waits, 99),
        decay=decay(np.array([max(at_ns, told.get(pod, 0)) for pod, at_ns in trace.bound.items()], dtype=np.int64)),
        cores=watched.cores,
        refused=dict(trace.refused),
    )
