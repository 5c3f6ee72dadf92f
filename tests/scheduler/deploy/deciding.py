"""A process of its own that warms the kernels, then decides made clusters: what was compiled or loaded late, as JSON.

``deciding.py CLUSTERS``; a process of its own because whatever else a test run decides is in memory already.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from against_real.engine_check import told
from cases import THEMES, Case, make_case
from oracle.cluster import Cluster

from idcbench.scheduler.core import kernels
from idcbench.scheduler.engine import ClusterEngine
from idcbench.scheduler.objects import Pod

called: Counter[str] = Counter()


def counted(kernel: Any) -> Callable[..., Any]:
    """The kernel, with its calls counted."""

    def call(*arguments: Any) -> Any:
        called[kernel.py_func.__name__] += 1
        return kernel(*arguments)

    return call


def like(pod: Pod, number: int, **spec: Any) -> Pod:
    """Another pod of that sort, which waits."""
    metadata = msgspec.structs.replace(pod.metadata, name=f"new{number}", uid=f"new{number}", deletion_timestamp=None)
    return Pod(metadata, msgspec.structs.replace(pod.spec, node_name="", **spec))


def decide(case: Case) -> None:
    """All that a service asks of an engine, in one cluster."""
    cluster, pod = Cluster.of(case["objects"]), msgspec.convert(case["pod"], Pod)
    engine = told(ClusterEngine, case, cluster)
    several = [pod, *(like(each, number) for number, each in enumerate(cluster.pods))]
    engine.explain(pod)
    engine.decide(several)
    engine.forget(pod)
    engine.decide_gang([like(pod, number) for number in range(100, 103)], least=3)
    urgent = like(pod, 200, priority=2**31 - 1)
    engine.preempt(urgent)
    engine.nominate(urgent, cluster.nodes[0].metadata.name)
    engine.decide([like(pod, 201)])
    engine.preempt(like(pod, 202, priority=-(2**31)))
    for placed in cluster.pods[:3]:
        engine.remove("pods", placed)
    engine.remove("nodes", cluster.nodes[-1])
    engine.set("nodes", cluster.nodes[-1])


def main(clusters: int) -> None:
    kernels.warm()
    warmed = {kernel.py_func.__name__: len(kernel.signatures) for kernel in kernels.ENTRIES}
    for kernel in kernels.ENTRIES:
        setattr(kernels, kernel.py_func.__name__, counted(kernel))
    themes = list(THEMES)
    for number in range(clusters):
        rng = Random(number)
        decide(make_case(rng, "a", [themes[number % len(themes)], rng.choice(themes)]))
    late = {kernel.py_func.__name__: len(kernel.signatures) for kernel in kernels.ENTRIES}
    print(json.dumps({"warmed": warmed, "late": late, "called": called}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
