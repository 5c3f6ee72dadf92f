"""Where an engine and kube-scheduler's framework differ on a case."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, get_args

import msgspec
from cases import Case
from oracle import preemption
from oracle.cluster import Cluster
from oracle.profile import Profile

from idcbench.scheduler.decisions import Engine, NoPreemption, Placed, Resource, Unplaced
from idcbench.scheduler.objects import Pod
from idcbench.scheduler.policy import Policy
from idcbench.scheduler.service.config import read_configuration

from .reference import Answer


class TestableEngine(Engine, Protocol):
    """An engine that also tells every feasible node."""

    def feasible(self, pod: Pod) -> frozenset[str]: ...


MakeEngine = Callable[[tuple[Policy, ...]], TestableEngine]


@dataclass(frozen=True, slots=True)
class Difference:
    """``kind``: feasible, scores, chosen, message, preemption or crash."""

    kind: str
    what: str


def policies_of(case: Case) -> tuple[Policy, ...]:
    """The case's configuration as the service reads it from a file."""
    configuration = case.get("configuration")
    if configuration is None:
        return (Policy(),)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(json.dumps(configuration))
        return read_configuration(path).policies


def told(make: MakeEngine, case: Case, cluster: Cluster) -> TestableEngine:
    """An engine that has heard of the whole cluster, in the order of a watch's first lists."""
    engine = make(policies_of(case))
    for resource in get_args(Resource):
        for each in getattr(cluster, resource, ()):
            if resource == "pods" and (each.over or not each.spec.node_name):
                continue
            engine.set(resource, each)
    for each in cluster.pods:
        if not each.over and not each.spec.node_name:
            engine.nominate(each, each.status.nominated_node_name)
    return engine


def engine_differences(make: MakeEngine, case: Case, real: Answer) -> list[Difference]:
    """What the engine says otherwise; none when it agrees, or when it declines the pod."""
    if real.gated:
        return []
    cluster, pod = Cluster.of(case["objects"]), msgspec.convert(case["pod"], Pod)
    engine = told(make, case, cluster)
    if engine.explain(pod).declined:
        return []
    found = _feasible(engine, pod, real) or _scores(engine, pod, real)
    found += _preempted(engine, cluster, pod, case, real)
    return found + _decided(engine, pod, real)


def _feasible(engine: TestableEngine, pod: Pod, real: Answer) -> list[Difference]:
    ours, theirs = engine.feasible(pod), set(real.feasible)
    if ours == theirs:
        return []
    reasons = {node: real.refused.get(node) or real.barred for node in sorted(ours - theirs)}
    return [Difference("feasible", f"too many: {reasons}, missing: {sorted(theirs - ours)}")]


def _scores(engine: TestableEngine, pod: Pod, real: Answer) -> list[Difference]:
    """An explanation has at most ten nodes; a plugin that it leaves out counts as nothing."""
    found = []
    best = engine.explain(pod).best
    for node in best:
        ours = {score.plugin: score.normalized for score in node.scores}
        theirs = {plugin: scores[node.node][1] for plugin, scores in real.scores.items()}
        for plugin in sorted(ours.keys() | theirs.keys()):
            if ours.get(plugin, 0) != theirs.get(plugin, 0):
                raw = real.scores.get(plugin, {}).get(node.node)
                found.append(f"{node.node} {plugin}: {ours.get(plugin)}, really {theirs.get(plugin)} (raw {raw})")
        if node.total != real.totals[node.node]:
            found.append(f"{node.node}: total {node.total}, really {real.totals[node.node]}")
    highest = sorted(real.totals.values(), reverse=True)[: len(best)]
    if not found and (len(best) < min(10, len(real.totals)) or [node.total for node in best] != highest):
        found.append(f"the best are {[(node.node, node.total) for node in best]}, really {real.totals}")
    return [Difference("scores", "; ".join(found))] if found else []


def _decided(engine: TestableEngine, pod: Pod, real: Answer) -> list[Difference]:
    (decision,) = engine.decide([pod])
    best = real.eligible(pod.status.nominated_node_name)
    match decision:
        case Placed(node=node):
            if node not in best:
                return [Difference("chosen", f"{node}, really one of {sorted(best)} of {real.totals}")]
        case Unplaced() if real.feasible:
            return [Difference("chosen", f"none ({decision.message}), really one of {sorted(best)}")]
        case Unplaced() if decision.message != real.message:
            return [Difference("message", f"{decision.message} Really: {real.message}")]
    return []


def _preempted(engine: TestableEngine, cluster: Cluster, pod: Pod, case: Case, real: Answer) -> list[Difference]:
    if real.feasible or not case.get("preempt"):
        return []
    theirs = real.preemption.candidates if real.preemption else {}
    ours = engine.preempt(pod)
    if isinstance(ours, NoPreemption):
        really = (real.preemption.ineligible or real.preemption.message) if real.preemption else ""
        if theirs or (really and ours.message != really):
            return [Difference("preemption", f"none ({ours.message}), really {theirs} {really}")]
        return []
    if ours.node not in theirs:
        return [Difference("preemption", f"on {ours.node}, really {theirs}")]
    victims, really = sorted(each.key for each in ours.victims), theirs[ours.node]
    if victims != sorted(really.victims) or ours.violations != really.violations:
        return [Difference("preemption", f"{victims} ({ours.violations}) on {ours.node}, really {really}")]
    profile = Profile.of(case.get("configuration"))
    equal = [each.node for each in preemption.best(preemption.candidates(cluster, pod, profile))]
    return [] if ours.node in equal else [Difference("preemption", f"on {ours.node}, really one of {equal}: {theirs}")]


def as_json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
