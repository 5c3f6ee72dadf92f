"""PodTopologySpread (podtopologyspread/{common,filtering,scoring}.go, helper/spread.go)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from idcbench.scheduler.objects import LabelSelector, Node, Pod, Requirement, SpreadConstraint

from .cluster import Cluster, labels_of
from .node_filters import required_affinity_holds, untolerated_taint
from .resources import rounded
from .scene import Filter, Refusal, Scene, Score, Scores, truncated
from .selectors import is_empty, selects

HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A spread constraint with what its selector comes to; ``empty`` matches every pod yet counts none."""

    max_skew: int
    key: str
    selects: Callable[[dict[str, str]], bool]
    empty: bool
    min_domains: int
    honours_affinity: bool
    honours_taints: bool

    def lets_count(self, pod: Pod, node: Node) -> bool:
        if self.honours_affinity and not required_affinity_holds(pod, node):
            return False
        return not (self.honours_taints and untolerated_taint(pod, node))

    def count(self, pods: list[Pod], namespace: str) -> int:
        """Pods that match; those being deleted are passed over."""
        if self.empty:
            return 0
        return sum(
            pod.metadata.namespace == namespace
            and pod.metadata.deletion_timestamp is None
            and self.selects(labels_of(pod))
            for pod in pods
        )


def constraints_of(scene: Scene, action: str) -> list[Constraint]:
    """The pod's own constraints of that kind; only a pod without any gets the profile's."""
    own = scene.pod.spec.topology_spread_constraints
    if own:
        return [_parsed(each, scene.pod) for each in own if each.when_unsatisfiable == action]
    defaults = [each for each in scene.profile.default_spread if each.when_unsatisfiable == action]
    if not defaults:
        return []
    selectors = owners_selectors(scene.cluster, scene.pod)
    if not selectors:
        return []
    matches = _all_of(selectors)
    return [_made(each, matches, empty=False) for each in defaults]


def _parsed(given: SpreadConstraint, pod: Pod) -> Constraint:
    keys = {key: labels_of(pod)[key] for key in given.match_label_keys or () if key in labels_of(pod)}
    selector = given.label_selector
    return _made(
        given,
        lambda labels: selects(selector, labels) and all(labels.get(key) == value for key, value in keys.items()),
        empty=is_empty(selector) and not keys,
    )


def _made(given: SpreadConstraint, matches: Callable[[dict[str, str]], bool], *, empty: bool) -> Constraint:
    return Constraint(
        max_skew=given.max_skew,
        key=given.topology_key,
        selects=matches,
        empty=empty,
        min_domains=1 if given.min_domains is None else given.min_domains,
        honours_affinity=(given.node_affinity_policy or "Honor") == "Honor",
        honours_taints=(given.node_taints_policy or "Ignore") == "Honor",
    )


def _all_of(selectors: list[LabelSelector]) -> Callable[[dict[str, str]], bool]:
    return lambda labels: all(selects(selector, labels) for selector in selectors)


def owners_selectors(cluster: Cluster, pod: Pod) -> list[LabelSelector]:
    """How the services and the controller of a pod select it; all of them together spread it by default."""
    namespace = pod.metadata.namespace
    together: dict[str, str] = {}
    # a label that several services name with different values cannot be: each selects the pod
    for service in cluster.services:
        selector = service.spec.selector
        if service.metadata.namespace != namespace or selector is None:
            continue
        if all(labels_of(pod).get(key) == value for key, value in selector.items()):
            together |= selector
    requirements: tuple[Requirement, ...] = ()
    own_labels: dict[str, str] = {}
    owner = next((each for each in pod.metadata.owner_references or () if each.controller), None)
    if owner and (owner.api_version, owner.kind) == ("v1", "ReplicationController"):
        for each in cluster.replicationcontrollers:
            if (each.metadata.namespace, each.metadata.name) == (namespace, owner.name):
                together |= each.spec.selector or {}
    elif owner and owner.api_version == "apps/v1" and owner.kind in ("ReplicaSet", "StatefulSet"):
        sets = cluster.replicasets if owner.kind == "ReplicaSet" else cluster.statefulsets
        for controller in sets:
            if (controller.metadata.namespace, controller.metadata.name) == (namespace, owner.name):
                wanted = controller.spec.selector
                own_labels = (wanted and wanted.match_labels) or {}
                requirements = (wanted and wanted.match_expressions) or ()
    found = [
        LabelSelector(match_labels=together),
        LabelSelector(match_labels=own_labels, match_expressions=requirements),
    ]
    return [selector for selector in found if not is_empty(selector)]


def has_all(node: Node, constraints: list[Constraint]) -> bool:
    return all(constraint.key in labels_of(node) for constraint in constraints)


def _counts(scene: Scene, constraints: list[Constraint]) -> list[dict[str, int]]:
    """Matching pods per domain and constraint, over the nodes that have all keys and that the policies let count."""
    found: list[dict[str, int]] = [{} for _ in constraints]
    for node in scene.cluster.nodes:
        if not has_all(node, constraints):
            continue
        pods = scene.cluster.pods_on(node.metadata.name)
        for domains, constraint in zip(found, constraints, strict=True):
            if constraint.lets_count(scene.pod, node):
                value = labels_of(node)[constraint.key]
                domains[value] = domains.get(value, 0) + constraint.count(pods, scene.pod.metadata.namespace)
    # corrections count pods being deleted, and empty selectors match
    for pod, node, sign in scene.corrections():
        if pod.metadata.namespace != scene.pod.metadata.namespace or not has_all(node, constraints):
            continue
        for domains, constraint in zip(found, constraints, strict=True):
            if constraint.selects(labels_of(pod)) and constraint.lets_count(scene.pod, node):
                value = labels_of(node)[constraint.key]
                domains[value] = domains.get(value, 0) + sign
    return found


def _spread(scene: Scene, node: Node) -> Refusal | None:
    constraints = constraints_of(scene, "DoNotSchedule")
    for constraint, domains in zip(constraints, _counts(scene, constraints), strict=True):
        value = labels_of(node).get(constraint.key)
        reason = "node(s) didn't match pod topology spread constraints"
        if value is None:
            lacking = frozenset({f"{reason} (missing required label)"})
            return Refusal("PodTopologySpread", lacking, resolvable=False)
        fewest = min(domains.values(), default=2**31 - 1)
        if len(domains) < constraint.min_domains:
            fewest = 0
        itself = int(constraint.selects(labels_of(scene.pod)))
        if domains.get(value, 0) + itself - fewest > constraint.max_skew:
            return Refusal("PodTopologySpread", frozenset({reason}))
    return None


def _left_out(scene: Scene, nodes: list[Node], constraints: list[Constraint]) -> list[Node]:
    """Nodes without a key of the pod's own constraints; system defaults take every node."""
    if not scene.pod.spec.topology_spread_constraints and scene.profile.system_spread:
        return []
    return [node for node in nodes if not has_all(node, constraints)]


def _spread_score(scene: Scene, nodes: list[Node]) -> Scores | None:
    """Matching pods in the node's domains, each domain weighed by how many there are among the feasible nodes."""
    constraints = constraints_of(scene, "ScheduleAnyway")
    if not constraints:
        return None
    left_out = _left_out(scene, nodes, constraints)
    scored = [node for node in nodes if node not in left_out]
    counting = [n for n in scene.cluster.nodes if n not in _left_out(scene, list(scene.cluster.nodes), constraints)]
    totals = {node.metadata.name: 0.0 for node in nodes}
    for constraint in constraints:
        domains = {labels_of(node).get(constraint.key, "") for node in scored}
        size = len(scored) if constraint.key == HOSTNAME else len(domains)
        weight = math.log(size + 2)
        for node in scored:
            if constraint.key not in labels_of(node):
                continue
            value = labels_of(node)[constraint.key]
            there = [node] if constraint.key == HOSTNAME else [
                other
                for other in counting
                if labels_of(other).get(constraint.key, "") == value and constraint.lets_count(scene.pod, other)
            ]  # fmt: skip
            matching = sum(
                constraint.count(scene.pods_on(other.metadata.name), scene.pod.metadata.namespace) for other in there
            )
            totals[node.metadata.name] += matching * weight + (constraint.max_skew - 1)
    return {name: rounded(total) for name, total in totals.items()}


def _normalise(scene: Scene, raw: Scores) -> Scores:
    constraints = constraints_of(scene, "ScheduleAnyway")
    nodes = [node for node in scene.cluster.nodes if node.metadata.name in raw]
    ignored = {node.metadata.name for node in _left_out(scene, nodes, constraints)}
    known = [score for name, score in raw.items() if name not in ignored]
    most, least = max([0, *known]), min(known, default=0)

    def of(name: str) -> int:
        if name in ignored:
            return 0
        return 100 if most == 0 else truncated(100 * (most + least - raw[name]), most)

    return {name: of(name) for name in raw}


SPREAD = Filter("PodTopologySpread", _spread, skips=lambda scene: not constraints_of(scene, "DoNotSchedule"))
SPREAD_SCORE = Score("PodTopologySpread", _spread_score, _normalise)
