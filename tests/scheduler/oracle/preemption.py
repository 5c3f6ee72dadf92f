"""Whom DefaultPreemption would evict, and where (framework/plugins/defaultpreemption, framework/preemption)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from idcbench.scheduler.objects import DisruptionBudget, Node, Pod

from .cluster import Cluster, labels_of
from .framework import Refusals, active_filters, barred, refusals_in, refused
from .profile import Profile
from .scene import Filter, Scene
from .selectors import is_empty, selects


@dataclass(frozen=True, slots=True)
class Candidate:
    """Pods whose eviction makes room on a node, most important first; ``violations`` of budgets among them."""

    node: str
    victims: tuple[Pod, ...]
    violations: int


def candidates(cluster: Cluster, pod: Pod, profile: Profile | None = None) -> list[Candidate]:
    """Of every node where taking pods away can help. None for a pod that may not preempt."""
    scene = Scene(cluster, profile or Profile(), pod)
    refusals = refusals_in(scene)
    if ineligible(scene, refusals) or barred(scene):
        return []
    active = active_filters(scene)
    helpful = [node for node in cluster.nodes if (r := refusals[node.metadata.name]) is not None and r.resolvable]
    found = [_on_node(scene, node, active) for node in helpful]
    return [candidate for candidate in found if candidate]


def ineligible(scene: Scene, refusals: Refusals) -> str:
    """Why the pod may not preempt at all; empty when it may."""
    if scene.pod.spec.preemption_policy == "Never":
        return "not eligible due to preemptionPolicy=Never."
    nominated = scene.pod.status.nominated_node_name
    refusal = refusals.get(nominated)
    if refusal is not None and not refusal.resolvable:
        return ""
    weaker = [victim for victim in scene.cluster.pods_on(nominated) if victim.priority < scene.pod.priority]
    if refusal is not None and any(_being_preempted(victim) for victim in weaker):
        return "not eligible due to a terminating pod on the nominated node."
    return ""


def words(scene: Scene) -> str:
    """What is said of a preemption that finds no candidate."""
    refusals = refusals_in(scene)
    if reason := ineligible(scene, refusals):
        return reason
    active, hopeless = active_filters(scene), barred(scene)
    reasons: Counter[str] = Counter()
    for node in scene.cluster.nodes:
        refusal = refusals[node.metadata.name]
        weaker = tuple(p for p in scene.pods_on(node.metadata.name) if p.priority < scene.pod.priority)
        if hopeless or refusal is None or not refusal.resolvable:
            reasons["Preemption is not helpful for scheduling"] += 1
        elif not weaker:
            reasons["No preemption victims found for incoming pod"] += 1
        else:
            left = refused(replace(scene, removed=weaker), node, active)
            reasons.update(left.reasons if left else ())
    counted = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    return f"0/{len(scene.cluster.nodes)} nodes are available: {counted}."


def _being_preempted(victim: Pod) -> bool:
    told = [each for each in victim.status.conditions or () if each.type == "DisruptionTarget"]
    if victim.metadata.deletion_timestamp is None or not told:
        return False
    return (told[0].status, told[0].reason) == ("True", "PreemptionByScheduler")


def _importance(pod: Pod) -> tuple[int, str]:
    """Sorts the most important first: of higher priority, then started earlier; not started yet counts as now."""
    return -pod.priority, pod.status.start_time or "9999"


def _on_node(scene: Scene, node: Node, active: list[Filter]) -> Candidate | None:
    """Take all pods of lower priority away, then put back, most important first, those that need not go."""
    weaker = [pod for pod in scene.pods_on(node.metadata.name) if pod.priority < scene.pod.priority]
    away = sorted(weaker, key=_importance)
    if not away or refused(replace(scene, removed=tuple(away)), node, active):
        return None
    violating = _violating(away, scene.cluster.poddisruptionbudgets)
    victims = []
    for pod in [*violating, *(pod for pod in away if pod not in violating)]:
        kept_away = [other for other in away if other is not pod]
        if refused(replace(scene, removed=tuple(kept_away)), node, active):
            victims.append(pod)
        else:
            away = kept_away
    violations = sum(pod in violating for pod in victims)
    return Candidate(node.metadata.name, tuple(sorted(victims, key=_importance)), violations) if victims else None


def _violating(pods: list[Pod], budgets: tuple[DisruptionBudget, ...]) -> list[Pod]:
    """Those that are one too many for a budget when all go, in order."""
    left = [budget.status.disruptions_allowed for budget in budgets]
    found = []
    for pod in pods:
        for i, budget in enumerate(budgets):
            if budget.metadata.namespace != pod.metadata.namespace or not labels_of(pod):
                continue
            selector = budget.spec.selector
            if is_empty(selector) or not selects(selector, labels_of(pod)):
                continue
            if pod.metadata.name in (budget.status.disrupted_pods or {}):
                continue
            left[i] -= 1
            if left[i] < 0:
                found.append(pod)
                break
    return found


def best(found: list[Candidate]) -> list[Candidate]:
    """Those among which the choice is arbitrary."""
    for cost in (_violations, _highest, _sum, _count):
        least = min(map(cost, found), default=0)
        found = [candidate for candidate in found if cost(candidate) == least]
    latest = max(map(_started, found), default="")
    return [candidate for candidate in found if _started(candidate) == latest]


def _violations(candidate: Candidate) -> int:
    return candidate.violations


def _highest(candidate: Candidate) -> int:
    return candidate.victims[0].priority


def _sum(candidate: Candidate) -> int:
    return sum(victim.priority + 2**31 for victim in candidate.victims)


def _count(candidate: Candidate) -> int:
    return len(candidate.victims)


def _started(candidate: Candidate) -> str:
    """The earliest start among the most important victims."""
    top = [victim for victim in candidate.victims if victim.priority == candidate.victims[0].priority]
    return min(victim.status.start_time or "9999" for victim in top)
