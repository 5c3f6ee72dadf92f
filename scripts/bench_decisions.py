#!/usr/bin/env python3
"""How many pods a second the decision core places: no API server, no objects decoded, one thread.

    scripts/bench_decisions.py [--rounds 10] [--only basic,spread,…]

50 pod shapes interleaved, ties broken at random, every default filter and score on; after every 1,000 pods 100 of them
are deleted, and that counts in the time. From the class of a pod on: the board of its shape, the decision, the
account. What finding the class of a pod object costs is told apart (`class of a known pod`), as is a class never seen
(`new class`, from the object, and its first decision). Rates are by the thread's processor time, since other work on
the machine is none of the core's; wall time beside it shows how much there was.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
from tabulate import tabulate

from idcbench.scheduler.core.deciding import ANY
from idcbench.scheduler.engine import ClusterEngine
from idcbench.scheduler.objects import Node, Pod

SHAPES, BATCH = 50, 1000
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
GOALS = {("basic", 1000): 300_000, ("basic", 15_000): 40_000}
KINDS = ("spread", "soft-spread", "affinity", "anti-affinity", "preferred-affinity")


def node(i: int) -> Node:
    labels = {HOST: f"node-{i}", ZONE: f"zone-{i % 3}"}
    allocatable = {"cpu": "64", "memory": "512Gi", "pods": "400"}
    return msgspec.convert(
        {"metadata": {"name": f"node-{i}", "labels": labels}, "status": {"allocatable": allocatable}}, Node
    )


def pod(i: int, kind: str) -> Pod:
    app = {"app": f"app-{i % SHAPES}"}
    term = {"labelSelector": {"matchLabels": app}, "topologyKey": HOST if kind == "anti-affinity" else ZONE}
    spread = {**term, "maxSkew": 5, "whenUnsatisfiable": "DoNotSchedule" if kind == "spread" else "ScheduleAnyway"}
    required, preferred = (
        "requiredDuringSchedulingIgnoredDuringExecution",
        "preferredDuringSchedulingIgnoredDuringExecution",
    )
    extra: dict[str, Any] = {
        "spread": {"topologySpreadConstraints": [spread]},
        "soft-spread": {"topologySpreadConstraints": [spread]},
        "affinity": {"affinity": {"podAffinity": {required: [term]}}},
        "anti-affinity": {"affinity": {"podAntiAffinity": {required: [term]}}},
        "preferred-affinity": {"affinity": {"podAffinity": {preferred: [{"weight": 10, "podAffinityTerm": term}]}}},
    }.get(kind, {})
    cpu = 100 + (i if kind == "new class" else i % SHAPES)
    container = {"name": "c", "image": "pause", "resources": {"requests": {"cpu": f"{cpu}m", "memory": "500Mi"}}}
    metadata = {"name": f"pod-{i}", "namespace": "default", "uid": f"uid-{i}", "labels": app}
    return msgspec.convert({"metadata": metadata, "spec": {"containers": [container], **extra}}, Pod)


def engine_with(nodes: int) -> ClusterEngine:
    engine = ClusterEngine(seed=1)
    for i in range(nodes):
        engine.set("nodes", node(i))
    return engine


def rates(engine: ClusterEngine, kind: str, *, batches: int) -> Iterator[tuple[float, float]]:
    """Pods a second of each batch, by processor time and by wall time; the first batch warms up."""
    classes = [engine._understand(pod(i, kind)).number for i in range(SHAPES)]
    arrays = engine._arrays
    arrays.ensure(pods=batches * BATCH)
    state, kernels = arrays.state, arrays.kernels
    state.pod[:, 4] = 0
    out = np.empty((12, state.node_on.shape[0]), np.int32)
    pins, chosen = np.full(BATCH, ANY, np.int32), np.empty(BATCH, np.int32)
    interleaved = np.array([classes[i % SHAPES] for i in range(BATCH)], np.int32)
    kernels.place(state, interleaved[:1], np.array([batches * BATCH - 1], np.int32), pins[:1], out, chosen[:1])
    kernels.take(state, batches * BATCH - 1)
    for batch in range(batches):
        rows = np.arange(batch * BATCH, (batch + 1) * BATCH, dtype=np.int32)
        cpu, wall = time.thread_time(), time.perf_counter()
        placed = kernels.place(state, interleaved, rows, pins, out, chosen)
        for row in range(batch * BATCH, (batch + 1) * BATCH, 10):
            if chosen[row % BATCH] >= 0:
                kernels.take(state, row)
        if batch:
            yield placed / (time.thread_time() - cpu), placed / (time.perf_counter() - wall)


def times_us(each: Callable[[Pod], object], pods: list[Pod]) -> list[float]:
    found = []
    for one in pods:
        began = time.thread_time()
        each(one)
        found.append((time.thread_time() - began) * 1e6)
    return found


def row(kind: str, nodes: int, rounds: int) -> list[object]:
    found = [pair for _ in range(rounds) for pair in rates(engine_with(nodes), kind, batches=6)]
    by_cpu, by_wall = [cpu for cpu, _ in found], [wall for _, wall in found]
    goal = GOALS.get((kind, nodes), 20_000)
    spread = f"{min(by_cpu):,.0f} – {max(by_cpu):,.0f}"
    return [
        kind,
        nodes,
        len(found),
        f"{statistics.median(by_cpu):,.0f}",
        spread,
        f"{statistics.median(by_wall):,.0f}",
        f"{goal:,}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    wanted = set(filter(None, options.only.split(",")))
    cells = [("basic", 1000), ("basic", 5000), ("basic", 15_000), *((kind, 5000) for kind in KINDS)]
    table = [row(kind, nodes, options.rounds) for kind, nodes in cells if not wanted or kind in wanted]
    print(
        tabulate(
            table, ["pods", "nodes", "n", "pods/s p50", "min – max", "by wall time", "goal"], disable_numparse=True
        )
    )
    engine = engine_with(5000)
    known = [pod(i, "basic") for i in range(1000)]
    for one in known:
        engine._understand(one)
    print(f"class of a known pod: {statistics.median(times_us(engine._understand, known)):.1f} µs")
    fresh = [pod(i, "new class") for i in range(1000)]
    new = statistics.median(times_us(lambda one: engine.decide([one]), fresh))
    print(
        f"new class with each pod, 5,000 nodes, object to decision: {new:.0f} µs, {1e6 / new:,.0f} pods/s (goal 5,000)"
    )


if __name__ == "__main__":
    main()
