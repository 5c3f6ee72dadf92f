"""The order in which the rules are asked, and what their answers come to (framework/runtime/framework.go)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from idcbench.scheduler.objects import Node, Pod

from .cluster import Cluster
from .images import IMAGE_SCORE
from .interpod import INTER_POD, INTER_POD_SCORE
from .limits import LIMITS
from .node_filters import (
    AFFINITY_SCORE,
    FEATURES,
    NODE_AFFINITY,
    NODE_NAME,
    NODE_UNSCHEDULABLE,
    TAINT_SCORE,
    TAINTS,
)
from .profile import WEIGHTS, Profile
from .provisioning import STORAGE_SCORE
from .resources import BALANCED_SCORE, FIT, FIT_SCORE, PORTS
from .restrictions import RESTRICTIONS
from .scene import Filter, Refusal, Scene, Score
from .spread import SPREAD, SPREAD_SCORE
from .volumes import BINDING, VOLUME_ZONE

FILTERS: tuple[Filter, ...] = (
    NODE_NAME,
    NODE_UNSCHEDULABLE,
    TAINTS,
    NODE_AFFINITY,
    PORTS,
    FIT,
    RESTRICTIONS,
    LIMITS,
    BINDING,
    VOLUME_ZONE,
    SPREAD,
    INTER_POD,
    FEATURES,
)
"""In the order of the default profile: the first that refuses a node is the one that is named."""

CLAIM_SCORE = Score("DynamicResources", lambda _scene, nodes: dict.fromkeys((n.metadata.name for n in nodes), 0))
"""Without resource claims every node has 0; pods with claims are not stated here."""

SCORES = (
    TAINT_SCORE,
    AFFINITY_SCORE,
    FIT_SCORE,
    STORAGE_SCORE,
    SPREAD_SCORE,
    INTER_POD_SCORE,
    CLAIM_SCORE,
    BALANCED_SCORE,
    IMAGE_SCORE,
)

Refusals = dict[str, Refusal | None]
PluginScores = dict[str, dict[str, tuple[int, int]]]


def gated(pod: Pod) -> bool:
    """A pod with scheduling gates is not looked at."""
    return bool(pod.spec.scheduling_gates)


def refusals(cluster: Cluster, pod: Pod, profile: Profile | None = None) -> Refusals:
    """For each node who refuses it, ``None`` where the pod can run."""
    return refusals_in(Scene(cluster, profile or Profile(), pod))


def feasible(cluster: Cluster, pod: Pod, profile: Profile | None = None) -> dict[str, frozenset[str]]:
    """For each node the reasons against it; none when it is feasible."""
    found = refusals(cluster, pod, profile)
    return {node: refusal.reasons if refusal else frozenset() for node, refusal in found.items()}


def scores(cluster: Cluster, pod: Pod, nodes: list[str], profile: Profile | None = None) -> PluginScores:
    """Per plugin that has a say, per feasible node: the raw score and the normalised one."""
    scene = Scene(cluster, profile or Profile(), pod)
    there = [node for node in cluster.nodes if node.metadata.name in nodes]
    found: PluginScores = {}
    for plugin in SCORES if there else ():
        raw = plugin.scores(scene, there)
        if raw is not None:
            normalised = plugin.normalise(scene, raw)
            found[plugin.name] = {node: (raw[node], normalised[node]) for node in raw}
    return found


def total(given: PluginScores, nodes: list[str]) -> dict[str, int]:
    """The weighted sum per node."""
    return {node: sum(WEIGHTS[name] * nodes_[node][1] for name, nodes_ in given.items()) for node in nodes}


def best(totals: dict[str, int]) -> set[str]:
    """The nodes that may be chosen: ties are broken at random."""
    most = max(totals.values(), default=0)
    return {node for node, score in totals.items() if score == most}


def barred(scene: Scene) -> Refusal | None:
    """What refuses every node before any is looked at.

    Plugins are asked in turn; one that narrows the choice to nothing, together with those before, ends it too.
    """
    allowed: frozenset[str] | None = None
    narrowing = []
    for plugin in FILTERS:
        if refusal := plugin.bars(scene.first_look):
            return refusal
        names = plugin.narrows(scene.first_look)
        if names is not None:
            narrowing.append(plugin.name)
            allowed = names if allowed is None else allowed & names
            if not allowed:
                together = f"[{' '.join(sorted(narrowing))}] simultaneously" if narrowing[1:] else narrowing[0]
                reason = f"node(s) didn't satisfy plugin{'(s)' if narrowing[1:] else ''} {together}"
                return Refusal("", frozenset({reason}), resolvable=False)
    return None


def refusals_in(scene: Scene) -> Refusals:
    names = [node.metadata.name for node in scene.cluster.nodes]
    if refusal := barred(scene):
        return dict.fromkeys(names, refusal)
    narrowed = {p.name: found for p in FILTERS if (found := p.narrows(scene.first_look)) is not None}
    active = active_filters(scene)
    found: Refusals = {}
    for node in scene.cluster.nodes:
        if any(node.metadata.name not in names for names in narrowed.values()):
            reason = f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(narrowed))}]"
            found[node.metadata.name] = Refusal(sorted(narrowed)[0], frozenset({reason}), resolvable=False)
        else:
            found[node.metadata.name] = refused(scene, node, active)
    return found


def words(scene: Scene) -> str:
    """What the event of an unschedulable pod says (FitError.Error in framework/types.go); empty when it can run."""
    nodes = len(scene.cluster.nodes)
    if not nodes:
        return "no nodes available to schedule pods"
    if bar := barred(scene):
        return f"0/{nodes} nodes are available: {', '.join(sorted(bar.reasons))}."
    found = refusals_in(scene).values()
    if None in found:
        return ""
    counted = Counter(reason for refusal in found if refusal for reason in refusal.reasons)
    return f"0/{nodes} nodes are available: {', '.join(sorted(f'{n} {reason}' for reason, n in counted.items()))}."


def active_filters(scene: Scene) -> list[Filter]:
    """Those that have something to say, by the first look; what is added or removed later cannot wake the others."""
    return [plugin for plugin in FILTERS if not plugin.skips(scene.first_look)]


def refused(scene: Scene, node: Node, active: list[Filter]) -> Refusal | None:
    """Asked twice where pods of no lower priority are nominated to the node: with and without them."""
    nominated = tuple(
        (other, node.metadata.name)
        for other in scene.cluster.nominated_to(node.metadata.name)
        if other.priority >= scene.pod.priority and other.metadata.uid != scene.pod.metadata.uid
    )
    if nominated:
        refusal = _first(replace(scene, added=scene.added + nominated), node, active)
        if refusal:
            return refusal
    return _first(scene, node, active)


def _first(scene: Scene, node: Node, active: list[Filter]) -> Refusal | None:
    return next((refusal for plugin in active if (refusal := plugin.refuses(scene, node))), None)
