"""What the engine keeps and repairs is what it would compute from nothing."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from cases import Case, make_case
from hypothesis import given, settings
from hypothesis import strategies as st

from idcbench.scheduler.decisions import Placed
from idcbench.scheduler.engine import ClusterEngine
from idcbench.scheduler.objects import Namespace, Node, Pod, Selecting, Service

TYPES: dict[str, Any] = {
    "nodes": Node,
    "pods": Pod,
    "namespaces": Namespace,
    "services": Service,
    "replicationcontrollers": Service,
    "replicasets": Selecting,
    "statefulsets": Selecting,
}
THEMES = ("taints", "unschedulable", "affinity", "ports", "resources", "spread", "interpod", "images", "crowded")


def objects_of(case: Case) -> list[tuple[str, Any]]:
    """The case's objects by resource; of pods those that have a node."""
    found = [(kind, msgspec.convert(each, TYPES[kind])) for kind in TYPES for each in case["objects"].get(kind, ())]
    return [(kind, obj) for kind, obj in found if kind != "pods" or (obj.spec.node_name and not obj.over)]


def pending(pod: Pod, number: int) -> Pod:
    """A pod like that one, that waits."""
    metadata = msgspec.structs.replace(pod.metadata, name=f"new{number}", uid=f"new{number}", deletion_timestamp=None)
    return Pod(metadata, msgspec.structs.replace(pod.spec, node_name=""))


def heavier(pod: Pod) -> Pod:
    """A pod that asks for a little more, and the same of nodes in all else."""
    return Pod(pod.metadata, msgspec.structs.replace(pod.spec, overhead={"cpu": "1m"}))


def live(engine: ClusterEngine, objects: list[tuple[str, Any]], others: list[tuple[str, Any]], rng: Random) -> None:
    """Lead the engine to those objects by a detour: other versions of them, deletions, decisions taken back."""
    there: list[tuple[str, Any]] = []
    for kind, obj in rng.sample(others, len(others)) + rng.sample(objects, len(objects)):
        engine.set(kind, obj)
        there.append((kind, obj))
        if rng.random() < 0.3:
            engine.remove(*rng.choice(there))
        if rng.random() < 0.3:
            pods = [pending(pod, i) for i, (kind, pod) in enumerate(there) if kind == "pods"]
            pods = [rng.choice((pod, heavier(pod))) for pod in pods]
            for answer in engine.decide(rng.sample(pods, min(len(pods), 3))):
                if isinstance(answer, Placed):
                    engine.forget(answer.pod)
    kept = {(kind, obj.metadata.namespace, obj.metadata.name, obj.metadata.uid) for kind, obj in objects}
    for kind, obj in there:
        if (kind, obj.metadata.namespace, obj.metadata.name, obj.metadata.uid) not in kept:
            engine.remove(kind, obj)
    for kind, obj in objects:
        engine.set(kind, obj)


def knowledge(engine: ClusterEngine, pod: Pod) -> tuple[Any, ...]:
    """Everything that the engine says of a pod, in an order that does not depend on rows."""
    explained = engine.explain(pod)
    if explained.declined:
        return (explained.declined,)
    refused = sorted((r.plugin, r.reason, r.nodes) for r in explained.refusals)
    totals = sorted(score.total for score in explained.best)
    least = totals[0] if totals else 0
    scores = {s.node: s.scores for s in explained.best if s.total > least}
    return engine.feasible(pod), refused, totals, scores


@settings(max_examples=60)
@given(st.integers(0, 10**9))
def test_after_any_history_the_engine_knows_what_a_new_one_knows(seed: int) -> None:
    rng = Random(seed)
    case, other = make_case(rng, "a", THEMES), make_case(rng, "b", THEMES)
    objects, others = objects_of(case), objects_of(other)
    lived, fresh = ClusterEngine(), ClusterEngine()
    live(lived, objects, others, rng)
    for kind, obj in objects:
        fresh.set(kind, obj)  # type: ignore[arg-type]
    asked = [msgspec.convert(c["pod"], Pod) for c in (case, other)]
    asked += [obj for kind, obj in objects if kind == "pods"]
    for number, pod in enumerate(asked):
        one = pending(pod, number)
        for _ in range(2):  # the second time from what is kept
            assert knowledge(lived, one) == knowledge(fresh, one)
        answer = lived.decide([one])[0]
        if isinstance(answer, Placed):
            assert answer.node in fresh.feasible(one)
            scores = [score.total for score in fresh.explain(one).best]
            if scores[-1] < max(scores):  # more are shown than those that are equally good
                assert answer.node in [s.node for s in fresh.explain(one).best if s.total == max(scores)]
            lived.forget(one)


@pytest.mark.parametrize("seed", range(20))
def test_a_decision_leaves_what_the_same_pod_bound_there_would_leave(seed: int) -> None:
    rng = Random(seed)
    case = make_case(rng, "a", THEMES)
    deciding, told = ClusterEngine(), ClusterEngine()
    for kind, obj in objects_of(case):
        deciding.set(kind, obj)  # type: ignore[arg-type]
        told.set(kind, obj)  # type: ignore[arg-type]
    pod = pending(msgspec.convert(case["pod"], Pod), 0)
    (answer,) = deciding.decide([pod])
    if isinstance(answer, Placed):
        told.set("pods", Pod(pod.metadata, msgspec.structs.replace(pod.spec, node_name=answer.node)))
    for kind, obj in objects_of(case):
        if kind == "pods":
            assert knowledge(deciding, pending(obj, 1)) == knowledge(told, pending(obj, 1))


def test_what_is_copied_from_a_board_of_like_demands_is_up_to_date() -> None:
    def node(number: int, *, closed: bool) -> Node:
        return msgspec.convert(
            {
                "metadata": {"name": f"node-{number}"},
                "spec": {"unschedulable": closed},
                "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
            },
            Node,
        )

    engine = ClusterEngine()
    for number in range(50):
        engine.set("nodes", node(number, closed=False))
    light = msgspec.convert({"metadata": {"name": "light", "uid": "light"}, "spec": {"containers": [{}]}}, Pod)
    engine.decide([light])
    for number in range(49):
        engine.set("nodes", node(number, closed=True))
    (answer,) = engine.decide([heavier(pending(light, 0))])
    assert isinstance(answer, Placed)
    assert answer.node == "node-49"
