"""How many pods a second the decision core places: no API server, no objects decoded, one thread.

    .venv/bin/pytest benchmarks/test_decisions.py

50 pod shapes interleaved, ties broken at random, every default filter and score on; of every 1,000 pods 100 are deleted
again, and that counts in the time. From the class of a pod on: the board of its shape, the decision, the account. What
finding the class of a pod object costs is told apart, as is a class never seen, from the object to its first decision.
Times are the thread's processor time, since other work on the machine is none of the core's; "OPS" of a batch is of
1,000 pods.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import msgspec
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from idcbench.scheduler.core.deciding import ANY
from idcbench.scheduler.engine import ClusterEngine
from idcbench.scheduler.objects import Node, Pod

pytestmark = pytest.mark.benchmark(timer=time.thread_time, disable_gc=True)

SHAPES, BATCH = 50, 1000
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
BATCHES, ENGINES = 5, 5
"""Batches measured on one engine, after one that warms it, and engines: one after the other fills up."""


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


class Drain:
    """Batch after batch on one engine; ``placed`` counts the pods of the last."""

    def __init__(self, kind: str, nodes: int) -> None:
        engine = engine_with(nodes)
        self._arrays = engine._arrays
        classes = [engine._understand(pod(i, kind)).number for i in range(SHAPES)]
        self._classes = np.array([classes[i % SHAPES] for i in range(BATCH)], np.int32)
        self._arrays.ensure(pods=(BATCHES + 2) * BATCH)
        self._state, self._kernels = self._arrays.state, self._arrays.kernels
        self._state.pod[:, 4] = 0
        self._out = np.empty((12, self._state.node_on.shape[0]), np.int32)
        self._pins, self._chosen = np.full(BATCH, ANY, np.int32), np.empty(BATCH, np.int32)
        self._next = 0
        self.placed = 0
        self.batch()

    def batch(self) -> None:
        """Place 1,000 pods, then delete every tenth of them."""
        rows = np.arange(self._next, self._next + BATCH, dtype=np.int32)
        self._next += BATCH
        self.placed = self._kernels.place(self._state, self._classes, rows, self._pins, self._out, self._chosen)
        for row in range(int(rows[0]), self._next, 10):
            if self._chosen[row % BATCH] >= 0:
                self._kernels.take(self._state, row)


@pytest.mark.parametrize(
    ("kind", "nodes"),
    [
        ("basic", 1000), ("basic", 5000), ("basic", 15_000), ("spread", 5000), ("soft-spread", 5000),
        ("affinity", 5000), ("anti-affinity", 5000), ("preferred-affinity", 5000),
    ],
)  # fmt: skip
def test_a_thousand_decisions(benchmark: BenchmarkFixture, kind: str, nodes: int) -> None:
    """The median of batches on some engines, which fill up meanwhile."""
    drains = (drain for _ in range(ENGINES) for drain in itertools.repeat(Drain(kind, nodes), BATCHES))
    placed = []

    def decide(drain: Drain) -> None:
        drain.batch()
        placed.append(drain.placed)

    benchmark.pedantic(decide, setup=lambda: ((next(drains),), {}), rounds=BATCHES * ENGINES)
    assert placed == [BATCH] * len(placed)
    benchmark.extra_info["pods/s"] = round(BATCH / benchmark.stats.stats.median)  # type: ignore[union-attr]


def test_the_class_of_a_known_pod(benchmark: BenchmarkFixture) -> None:
    """From the object to its class, which another pod made before."""
    engine = engine_with(5000)
    for i in range(SHAPES):
        engine._understand(pod(i, "basic"))
    pods = (pod(i, "basic") for i in itertools.count())
    benchmark.pedantic(engine._understand, setup=lambda: ((next(pods),), {}), rounds=1000)


def test_a_new_class_with_each_pod(benchmark: BenchmarkFixture) -> None:
    """From the object to the decision, when no pod was ever like it."""
    engine = engine_with(5000)
    pods = (pod(i, "new class") for i in itertools.count())
    benchmark.pedantic(engine.decide, setup=lambda: (([next(pods)],), {}), rounds=1000, warmup_rounds=5)
