"""What the API server can take: bindings alone (B), with their events (BE), with creations too (CBE)."""

from __future__ import annotations

import gc
import itertools
import os
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

import msgspec

from idcbench.measure.bounding import Meter, bound_of
from idcbench.measure.load import Job, Pool, pool

from .arena import Arena
from .outcome import Ceiling, Step
from .paths import binding, collection, events
from .templates import Object
from .throughput import decay
from .workload import Batch, Workload

CONNECTIONS = (8, 16, 32, 64, 128)
Kind = Literal["B", "BE", "CBE"]
CLIENT = "client"
_encode = msgspec.json.Encoder().encode


async def measure(
    arena: Arena, workload: Workload, *, state: str | None = None, kinds: tuple[Kind, ...] = ("B", "BE")
) -> list[Ceiling]:
    """The ceilings on the kept ``state`` (that of the workload): its pods in equal parts, one for each kind and step.

    Every part is bound one node after the other, in a state where it is small beside what is there. Raises
    :class:`~idcbench.measure.load.LoadError`.
    """
    await arena.restore(state or workload.name)
    part = workload.pods // (len(kinds) * len(CONNECTIONS))
    pods = workload.measured.objects()
    nodes = _nodes(workload)
    found: dict[Kind, list[Step]] = {kind: [] for kind in kinds}
    for connections in CONNECTIONS:
        for kind in kinds:
            found[kind].append(await _step(arena, kind, itertools.islice(pods, part), nodes, connections=connections))
    return [_best(kind, steps, row=workload.name, arena=arena.label) for kind, steps in found.items()]


async def whole(arena: Arena, workload: Workload, kind: Kind, *, connections: int) -> Step:
    """All pods of the workload, whose kept state was just restored: what a scheduler's round is held against.

    A server slows down while its log, its watch cache and its heap grow: a short step is not what a round meets.
    """
    return await _step(arena, kind, workload.measured.objects(), _nodes(workload), connections=connections)


def with_rounds(found: Ceiling, rounds: list[Step]) -> Ceiling:
    """The ceiling by its rounds; what bounds it is what bounded the median one."""
    if not rounds:
        return found
    ordered = sorted(rounds, key=lambda step: step.rate)
    middle = ordered[len(ordered) // 2]
    rate = statistics.median(step.rate for step in rounds)
    return msgspec.structs.replace(found, rate=rate, bound_by=_bound_by(middle), rounds=tuple(rounds))


def best_connections(found: Ceiling) -> int:
    """On how many connections it was reached."""
    return max(found.steps, key=lambda step: step.rate).connections


async def highest_arrival(arena: Arena, workload: Workload) -> Ceiling:
    """CBE: pods created, bound and told of one after the other, on the state of ``workload`` without its pods."""
    (found,) = await measure(arena, workload, state=without_pods(workload).name, kinds=("CBE",))
    return found


def without_pods(workload: Workload) -> Workload:
    """The same, but the pods are still to come; its own name, as its state is another."""
    return replace(workload, name=f"{workload.name}-empty", measured=Batch(0, workload.measured.make))


def _nodes(workload: Workload) -> Iterator[str]:
    """One after the other, again and again."""
    return itertools.cycle([one["metadata"]["name"] for one in workload.nodes[0].objects()])


async def _step(
    arena: Arena, kind: Kind, pods: Iterable[Object], nodes: Iterator[str], *, connections: int
) -> Step:  # fmt: skip
    """On connections of its own (an API server closes what was idle for 90 s), without pauses to collect garbage."""
    gc.collect()
    gc.freeze()
    try:
        async with pool(arena.access, size=connections) as clients:
            jobs = list(_jobs(clients, kind, pods, nodes))
            meter = Meter.start({CLIENT: os.getpid(), **arena.servers()})
            load = await clients.closed_loop(jobs)
            cores = meter.cores()
    finally:
        gc.unfreeze()
    done_ns = load.step_ns[:, -1]
    return Step(connections=connections, pods=load.jobs, rate=load.jobs_per_s, cores=cores, decay=decay(done_ns))


def _best(kind: Kind, steps: list[Step], *, row: str, arena: str) -> Ceiling:
    best = max(steps, key=lambda step: step.rate)
    return Ceiling(kind=kind, row=row, arena=arena, rate=best.rate, bound_by=_bound_by(best), steps=tuple(steps))


def _bound_by(step: Step) -> str:
    return bound_of(step.cores, available=len(os.sched_getaffinity(0)), single_threaded=CLIENT)


def _jobs(clients: Pool, kind: Kind, pods: Iterable[Object], nodes: Iterator[str]) -> Iterator[Job]:
    for pod in pods:
        node = next(nodes)
        requests = [clients.request("POST", binding(pod), _encode(_binding(pod, node)))]
        if kind != "B":
            path = events(pod["metadata"]["namespace"])
            requests.append(clients.request("POST", path, _encode(scheduled_event(pod, node))))
        if kind == "CBE":
            requests.insert(0, clients.request("POST", collection(pod), _encode(pod)))
        yield requests


def _binding(pod: Object, node: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }


def scheduled_event(pod: Object, node: str) -> Object:
    """An event as kube-scheduler writes it when a pod is placed."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{0x185F00D5EED00000:x}", "namespace": namespace},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "default-scheduler",
        "reportingInstance": "default-scheduler-bench",
        "action": "Binding",
        "reason": "Scheduled",
        "regarding": {"kind": "Pod", "namespace": namespace, "name": name, "apiVersion": "v1"},
        "note": f"Successfully assigned {namespace}/{name} to {node}",
        "type": "Normal",
    }
