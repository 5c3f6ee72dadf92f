"""Why a pod has no node, and how the nodes compare: the core's numbers in kube-scheduler's words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..core.state import (
    BY_AFFINITY,
    BY_AVOID,
    BY_AVOIDED,
    BY_CORDON,
    BY_ENFORCED,
    BY_FEATURES,
    BY_NEED,
    BY_PORTS,
    BY_RESOURCES,
    BY_SPREAD,
    BY_SPREAD_LABEL,
    BY_TAINT,
    BY_VOLUMES,
    CPU,
    I32,
    I64,
    MEMORY,
    NO_HELP,
    NOBODY_LOWER,
    PODS,
    State,
)
from ..decisions import NodeScore, PluginScore, Refusal
from ..volumes import Refused
from .shapes import SCORE_PLUGINS

BY_PIN = 15
"""A node other than the one that the pod's affinity names."""
BY_NAME = 16
"""The same by ``spec.nodeName``."""

BY_PIN_AND_NAME = 17
NOWHERE = Refused(
    "NodeAffinity", ("node(s) didn't satisfy plugin(s) [NodeAffinity NodeName] simultaneously",), unresolvable=True
)

WORDS = {
    BY_CORDON: ("NodeUnschedulable", "node(s) were unschedulable"),
    BY_TAINT: ("TaintToleration", "node(s) had untolerated taint(s)"),
    BY_ENFORCED: ("NodeAffinity", "node(s) didn't match scheduler-enforced node affinity"),
    BY_AFFINITY: ("NodeAffinity", "node(s) didn't match Pod's node affinity/selector"),
    BY_PORTS: ("NodePorts", "node(s) didn't have free ports for the requested pod ports"),
    BY_SPREAD_LABEL: (
        "PodTopologySpread",
        "node(s) didn't match pod topology spread constraints (missing required label)",
    ),
    BY_SPREAD: ("PodTopologySpread", "node(s) didn't match pod topology spread constraints"),
    BY_NEED: ("InterPodAffinity", "node(s) didn't match pod affinity rules"),
    BY_AVOID: ("InterPodAffinity", "node(s) didn't match pod anti-affinity rules"),
    BY_AVOIDED: ("InterPodAffinity", "node(s) didn't satisfy existing pods anti-affinity rules"),
    BY_FEATURES: ("NodeDeclaredFeatures", "node(s) didn't match Pod's required features"),
    BY_PIN: ("NodeAffinity", "node(s) didn't satisfy plugin(s) [NodeAffinity]"),
    BY_NAME: ("NodeName", "node(s) didn't satisfy plugin(s) [NodeName]"),
    BY_PIN_AND_NAME: ("NodeAffinity", "node(s) didn't satisfy plugin(s) [NodeAffinity NodeName]"),
}
"""Plugin and words of every reason but resources and volumes, which tell more. From the plugins of 1.37."""

BEYOND_HELP = {code: reason for code, (_, reason) in WORDS.items()} | {
    NO_HELP: "Preemption is not helpful for scheduling",
    NOBODY_LOWER: "No preemption victims found for incoming pod",
}
"""Why taking pods away makes no room on a node: what it says then, or that there is nothing to try."""

_HELPLESS = (
    BY_CORDON,
    BY_TAINT,
    BY_ENFORCED,
    BY_AFFINITY,
    BY_SPREAD_LABEL,
    BY_NEED,
    BY_FEATURES,
    BY_PIN,
    BY_NAME,
    BY_PIN_AND_NAME,
)
_RAW_ROWS = {"TaintToleration": 4, "NodeAffinity": 5, "PodTopologySpread": 6, "InterPodAffinity": 7}
_ROWS = {
    "TaintToleration": 0,
    "NodeAffinity": 1,
    "NodeResourcesFit": 8,
    "PodTopologySpread": 2,
    "InterPodAffinity": 3,
    "NodeResourcesBalancedAllocation": 9,
    "ImageLocality": 10,
}
TOTAL = 11


@dataclass(frozen=True)
class Evaluation:
    """A class on every node: ``reasons`` by row (0 is none), ``out`` by feasible node in the order of ``nodes``."""

    shape: int
    policy: int
    reasons: I32
    nodes: I32
    out: I32
    used: I64
    """What the pods on each node take, with those that hold room there."""
    volumes: dict[int, Refused] = field(default_factory=dict)
    """What the volume filters said of single rows."""
    barred: Refused | None = None
    """What they said of the pod as a whole."""
    volume_scores: dict[int, int] = field(default_factory=dict)
    """VolumeBinding's by row, where there are any."""
    volume_weight: int = 0


def refusals(state: State, found: Evaluation, resources: dict[str, int], names: list[str]) -> list[Refusal]:
    """Each reason with the number of nodes it holds for, and the closest miss."""
    if found.barred is not None:
        return []
    refused: list[Refusal] = []
    for code, words in WORDS.items():
        count = int((found.reasons == code).sum())
        if count:
            refused.append(Refusal(*words, count))
    refused += _lacking(state, found, resources, names)
    by_volume = Counter((why.plugin, reason) for why in found.volumes.values() for reason in why.reasons)
    return refused + [Refusal(plugin, reason, count) for (plugin, reason), count in by_volume.items()]


def _lacking(state: State, found: Evaluation, resources: dict[str, int], names: list[str]) -> list[Refusal]:
    rows = np.flatnonzero(found.reasons == BY_RESOURCES)
    refused = []
    for name, column in resources.items():
        wanted = int(state.asked[found.shape, column])
        if not wanted or not len(rows):
            continue
        lacks = wanted - (state.alloc[rows, column] - found.used[rows, column])
        short = lacks > 0
        if short.any():
            nearest = int(np.where(short, lacks, np.iinfo(np.int64).max).argmin())
            reason = "Too many pods" if column == PODS else f"Insufficient {name}"
            amount = "room for 1 pod" if column == PODS else f"{in_words(column, int(lacks[nearest]))} {name}"
            near = f"{names[rows[nearest]]} lacks {amount}"
            refused.append(Refusal("NodeResourcesFit", reason, int(short.sum()), near))
    return refused


def hopeless_at(state: State, found: Evaluation, row: int) -> bool:
    """Whether the node is refused, and no pod that is taken away from it could change that."""
    if found.barred is not None:
        return found.barred.unresolvable
    reason = int(found.reasons[row])
    if reason == BY_RESOURCES:
        wanted = state.asked[found.shape].copy()
        wanted[PODS] = 0
        return bool((state.alloc[row] < wanted).any())
    return reason in _HELPLESS or (row in found.volumes and found.volumes[row].unresolvable)


def resolvable(state: State, found: Evaluation) -> bool:
    """Whether taking pods away from some node might make room."""
    if found.barred is not None:
        return not found.barred.unresolvable
    open_ones = found.reasons[(found.reasons > 0) & ~np.isin(found.reasons, _HELPLESS)]
    if (~np.isin(open_ones, (BY_RESOURCES, BY_VOLUMES))).any():
        return True
    if any(not why.unresolvable for why in found.volumes.values()):
        return True
    rows = np.flatnonzero(found.reasons == BY_RESOURCES)
    wanted = state.asked[found.shape].copy()
    wanted[PODS] = 0
    return bool((state.alloc[rows] >= wanted).all(axis=1).any()) if len(rows) else False


def ranking(state: State, found: Evaluation, names: list[str], *, most: int = 10) -> tuple[NodeScore, ...]:
    """The best nodes with their scores, best first."""
    order = np.argsort(-found.out[TOTAL, : len(found.nodes)], kind="stable")[:most]
    return tuple(_scored(state, found, int(at), names) for at in order)


def _scored(state: State, found: Evaluation, at: int, names: list[str]) -> NodeScore:
    scores = []
    for i, plugin in enumerate(SCORE_PLUGINS):
        weight = int(state.weights[found.policy, i])
        if weight:
            normalized = int(found.out[_ROWS[plugin], at])
            raw = int(found.out[_RAW_ROWS.get(plugin, _ROWS[plugin]), at])
            scores.append(PluginScore(plugin, raw, normalized, weight * normalized))
    if found.volume_scores:
        score = found.volume_scores[int(found.nodes[at])]
        scores.append(PluginScore("VolumeBinding", score, score, found.volume_weight * score))
    return NodeScore(names[found.nodes[at]], int(found.out[TOTAL, at]), tuple(scores))


def in_words(column: int, amount: int) -> str:
    """An amount of a resource as a quantity."""
    if column == CPU:
        return f"{amount}m" if amount % 1000 else f"{amount // 1000}"
    if column == MEMORY and amount % 2**20 == 0:
        return f"{amount // 2**20}Mi"
    return str(amount)
