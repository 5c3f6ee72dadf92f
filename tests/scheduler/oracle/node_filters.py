"""What the node object itself decides: its name, its marks and taints, its labels, its features."""

from __future__ import annotations

from idcbench.scheduler.objects import Node, Pod, Taint, Toleration

from .cluster import labels_of
from .scene import Filter, Refusal, Scene, Score, Scores, proportional, reversed_proportional
from .selectors import node_selected, term_holds

UNSCHEDULABLE = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """api/core/v1/toleration.go; Lt and Gt are behind TaintTolerationComparisonOperators, which is off in 1.37."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    match toleration.operator:
        case "" | "Equal":
            return toleration.value == taint.value
        case "Exists":
            return True
    return False


def tolerated(pod: Pod, taint: Taint) -> bool:
    return any(tolerates(toleration, taint) for toleration in pod.spec.tolerations or ())


def untolerated_taint(pod: Pod, node: Node) -> bool:
    """A taint NoSchedule or NoExecute that the pod does not tolerate."""
    return any(
        taint.effect in ("NoSchedule", "NoExecute") and not tolerated(pod, taint) for taint in node.spec.taints or ()
    )


def required_affinity_holds(pod: Pod, node: Node) -> bool:
    """Node selector and required node affinity."""
    for key, value in (pod.spec.node_selector or {}).items():
        if labels_of(node).get(key) != value:
            return False
    required = pod.spec.affinity and pod.spec.affinity.node_affinity and pod.spec.affinity.node_affinity.required
    return node_selected(required, node) if required else True


def _node_name(scene: Scene, node: Node) -> Refusal | None:
    if scene.pod.spec.node_name in ("", node.metadata.name):
        return None
    return Refusal("NodeName", frozenset({"node(s) didn't match the requested node name"}), resolvable=False)


def _the_named_node(scene: Scene) -> frozenset[str] | None:
    return frozenset({scene.pod.spec.node_name}) if scene.pod.spec.node_name else None


def _unschedulable(scene: Scene, node: Node) -> Refusal | None:
    if not node.spec.unschedulable or tolerated(scene.pod, UNSCHEDULABLE):
        return None
    return Refusal("NodeUnschedulable", frozenset({"node(s) were unschedulable"}), resolvable=False)


def _taints(scene: Scene, node: Node) -> Refusal | None:
    if not untolerated_taint(scene.pod, node):
        return None
    return Refusal("TaintToleration", frozenset({"node(s) had untolerated taint(s)"}), resolvable=False)


def _affinity(scene: Scene, node: Node) -> Refusal | None:
    added = scene.profile.added_affinity
    if added and added.required and not node_selected(added.required, node):
        reason = "node(s) didn't match scheduler-enforced node affinity"
    elif not required_affinity_holds(scene.pod, node):
        reason = "node(s) didn't match Pod's node affinity/selector"
    else:
        return None
    return Refusal("NodeAffinity", frozenset({reason}), resolvable=False)


def _affinity_names(scene: Scene) -> frozenset[str] | None:
    """The nodes that required terms name in ``metadata.name``, when every term names some."""
    affinity = scene.pod.spec.affinity
    required = affinity and affinity.node_affinity and affinity.node_affinity.required
    if not required or not required.node_selector_terms:
        return None
    together: frozenset[str] = frozenset()
    for term in required.node_selector_terms:
        named = [
            frozenset(field.values or ())
            for field in term.match_fields or ()
            if field.key == "metadata.name" and field.operator == "In"
        ]
        if not named:
            return None
        together |= frozenset.intersection(*named)
    return together


def _affinity_conflict(scene: Scene) -> Refusal | None:
    if _affinity_names(scene) == frozenset():
        return Refusal("NodeAffinity", frozenset({"pod affinity terms conflict"}), resolvable=False)
    return None


def _count_shunned(scene: Scene, nodes: list[Node]) -> Scores:
    """Taints PreferNoSchedule that are not tolerated."""
    relevant = [t for t in scene.pod.spec.tolerations or () if t.effect in ("", "PreferNoSchedule")]
    return {
        node.metadata.name: sum(
            taint.effect == "PreferNoSchedule" and not any(tolerates(t, taint) for t in relevant)
            for taint in node.spec.taints or ()
        )
        for node in nodes
    }


def _preferred(scene: Scene, nodes: list[Node]) -> Scores | None:
    """The weights of the preferred terms that hold, the profile's and the pod's."""
    added = scene.profile.added_affinity
    own = scene.pod.spec.affinity and scene.pod.spec.affinity.node_affinity
    if (own is None or own.preferred is None) and not (added and added.preferred):
        return None
    terms = [*((added and added.preferred) or ()), *((own and own.preferred) or ())]
    scores = dict.fromkeys((node.metadata.name for node in nodes), 0)
    for term in terms:
        if term.weight == 0 or not (term.preference.match_expressions or term.preference.match_fields):
            continue
        for node in nodes:
            if term_holds(term.preference, node, name=node.metadata.name):
                scores[node.metadata.name] += term.weight
    return scores


def features_needed(pod: Pod) -> set[str]:
    """Features that a node must declare (component-helpers/nodedeclaredfeatures/features)."""
    containers = [*(pod.spec.containers or ()), *(pod.spec.init_containers or ())]
    needed = set()
    if any(rule.action == "RestartAllContainers" for c in containers for rule in c.restart_policy_rules or ()):
        needed.add("RestartAllContainersOnContainerExits")
    if pod.spec.host_network and pod.spec.host_users is False:
        needed.add("UserNamespacesHostNetworkSupport")
    if any(mount.bind_mount_options for c in containers for mount in c.volume_mounts or ()):
        needed.add("VolumeBindMountOptions")
    return needed


def _features(scene: Scene, node: Node) -> Refusal | None:
    if features_needed(scene.pod) <= set(node.status.declared_features or ()):
        return None
    reason = "node(s) didn't match Pod's required features"
    return Refusal("NodeDeclaredFeatures", frozenset({reason}), resolvable=False)


NODE_NAME = Filter("NodeName", _node_name, narrows=_the_named_node)
NODE_UNSCHEDULABLE = Filter("NodeUnschedulable", _unschedulable)
TAINTS = Filter("TaintToleration", _taints)
NODE_AFFINITY = Filter("NodeAffinity", _affinity, bars=_affinity_conflict, narrows=_affinity_names)
FEATURES = Filter("NodeDeclaredFeatures", _features)
TAINT_SCORE = Score("TaintToleration", _count_shunned, reversed_proportional)
AFFINITY_SCORE = Score("NodeAffinity", _preferred, proportional)
