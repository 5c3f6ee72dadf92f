"""Room on a node: host ports, NodeResourcesFit with its strategies, NodeResourcesBalancedAllocation."""

from __future__ import annotations

import math
from fractions import Fraction

from idcbench.scheduler.objects import Node, Pod, Port

from .profile import Point, Weighed
from .requests import DEFAULT, Amounts, amounts, pod_requests, taken, taken_nonzero, units
from .scene import Filter, Refusal, Scene, Score, Scores, truncated


def host_ports(pod: Pod) -> list[Port]:
    """Of containers and sidecars (pkg/scheduler/util/utils.go)."""
    sidecars = [c for c in pod.spec.init_containers or () if c.restart_policy == "Always"]
    return [port for c in (*sidecars, *(pod.spec.containers or ())) for port in c.ports or () if port.host_port > 0]


def _collide(first: Port, second: Port) -> bool:
    everywhere = ("", "0.0.0.0")
    same_address = first.host_ip == second.host_ip or first.host_ip in everywhere or second.host_ip in everywhere
    same_protocol = (first.protocol or "TCP") == (second.protocol or "TCP")
    return same_address and same_protocol and first.host_port == second.host_port


def _ports(scene: Scene, node: Node) -> Refusal | None:
    used = [port for pod in scene.pods_on(node.metadata.name) for port in host_ports(pod)]
    if any(_collide(wanted, port) for wanted in host_ports(scene.pod) for port in used):
        reason = "node(s) didn't have free ports for the requested pod ports"
        return Refusal("NodePorts", frozenset({reason}))
    return None


def is_scalar(name: str) -> bool:
    """Resources other than cpu, memory, ephemeral-storage and pods that are accounted for."""
    return is_extended(name) or name.startswith(("hugepages-", "attachable-volumes-")) or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def _known(asked: Amounts) -> Amounts:
    fixed = ("cpu", "memory", "ephemeral-storage")
    return {name: exact for name, exact in asked.items() if name in fixed or is_scalar(name)}


def allocatable(node: Node, name: str) -> int:
    return units(name, amounts(node.status.allocatable).get(name, Fraction(0)))


def used(pods: list[Pod], name: str) -> int:
    """What the pods take of a resource; each is rounded up by itself."""
    return sum(units(name, taken(pod).get(name, Fraction(0))) for pod in pods)


def _fit(scene: Scene, node: Node) -> Refusal | None:
    pods = scene.pods_on(node.metadata.name)
    reasons: set[str] = set()
    resolvable = True
    if len(pods) + 1 > allocatable(node, "pods"):
        reasons.add("Too many pods")
    for name, exact in _known(pod_requests(scene.pod, status=False)).items():
        wanted = units(name, exact)
        ignored = name in scene.profile.ignored_resources or name.split("/")[0] in scene.profile.ignored_groups
        if wanted <= 0 or (is_extended(name) and ignored):
            continue
        if wanted > allocatable(node, name) - used(pods, name):
            reasons.add(f"Insufficient {name}")
            resolvable = resolvable and wanted <= allocatable(node, name)
    return Refusal("NodeResourcesFit", frozenset(reasons), resolvable) if reasons else None


def _fit_score(scene: Scene, nodes: list[Node]) -> Scores:
    """The pod itself counts by its specification's containers alone, without pod-level resources: Fit's scorer is
    made without those flags (noderesources/fit.go, NewFit)."""
    asked = pod_requests(scene.pod, status=False, pod_level=False, missing=DEFAULT)
    return {node.metadata.name: _strategy_score(scene, node, asked) for node in nodes}


def _strategy_score(scene: Scene, node: Node, asked: Amounts) -> int:
    total, weights = 0, 0
    for resource in scene.profile.fit_resources:
        loads = _load(scene, node, resource, asked, nonzero=True)
        if loads is None:
            continue
        capacity, _, requested = loads
        match scene.profile.strategy:
            case "LeastAllocated":
                score = 0 if requested > capacity else (capacity - requested) * 100 // capacity
            case "MostAllocated":
                score = min(requested, capacity) * 100 // capacity
            case _:
                utilization = 100 if requested > capacity else requested * 100 // capacity
                score = on_curve(scene.profile.shape, utilization)
                if score <= 0:
                    continue
        total, weights = total + score * resource.weight, weights + resource.weight
    if weights == 0:
        return 0
    return rounded(total / weights) if scene.profile.strategy == "RequestedToCapacityRatio" else total // weights


def on_curve(shape: tuple[Point, ...], utilization: int) -> int:
    """Linear between the points, flat outside them (helper/shape_score.go); scores of 0–10 become 0–100."""
    for before, point in zip((None, *shape), shape, strict=False):
        if utilization <= point.utilization:
            if before is None:
                return point.score * 10
            rise = (point.score - before.score) * 10 * (utilization - before.utilization)
            return before.score * 10 + truncated(rise, point.utilization - before.utilization)
    return shape[-1].score * 10


def rounded(number: float) -> int:
    """Half away from zero, as Go's math.Round."""
    return math.floor(number + 0.5) if number >= 0 else math.ceil(number - 0.5)


def _load(scene: Scene, node: Node, resource: Weighed, asked: Amounts, *, nonzero: bool) -> tuple[int, int, int] | None:
    """Allocatable, taken, and taken with the pod; ``None`` where the resource has no say."""
    name = resource.name
    own = units(name, asked.get(name, Fraction(0)))
    capacity = allocatable(node, name)
    if capacity == 0 or (is_scalar(name) and own == 0):
        return None
    pods = scene.pods_on(node.metadata.name)
    if nonzero and name in DEFAULT:
        before = sum(units(name, taken_nonzero(pod).get(name, Fraction(0))) for pod in pods)
    else:
        before = used(pods, name)
    return capacity, before, before + own


def _balanced(scene: Scene, nodes: list[Node]) -> Scores | None:
    """How much more alike the used fractions are with the pod than without: 50 + (50 + with - without) / 2."""
    asked = pod_requests(scene.pod, status=True)
    resources = scene.profile.balanced_resources
    if all(units(resource.name, asked.get(resource.name, Fraction(0))) == 0 for resource in resources):
        return None
    scores = {}
    for node in nodes:
        loads = [_load(scene, node, resource, asked, nonzero=False) for resource in resources]
        known = [load for load in loads if load is not None]
        with_pod = _balance([(after, capacity) for capacity, _, after in known])
        without = _balance([(before, capacity) for capacity, before, _ in known])
        scores[node.metadata.name] = 50 + truncated(50 + with_pod - without, 2)
    return scores


def _balance(loads: list[tuple[int, int]]) -> int:
    fractions = [min(1.0, load / capacity) for load, capacity in loads]
    if len(fractions) < 2:
        deviation = 0.0
    elif len(fractions) == 2:
        deviation = abs((fractions[0] - fractions[1]) / 2)
    else:
        total, squares = 0.0, 0.0  # one after the other: sum() rounds otherwise from Python 3.12 on
        for fraction in fractions:
            total += fraction
        mean = total / len(fractions)
        for fraction in fractions:
            squares += (fraction - mean) * (fraction - mean)
        deviation = math.sqrt(squares / len(fractions))
    return int((1 - deviation) * 100)


PORTS = Filter("NodePorts", _ports, skips=lambda scene: not host_ports(scene.pod))
FIT = Filter("NodeResourcesFit", _fit)
FIT_SCORE = Score("NodeResourcesFit", _fit_score)
BALANCED_SCORE = Score("NodeResourcesBalancedAllocation", _balanced)
