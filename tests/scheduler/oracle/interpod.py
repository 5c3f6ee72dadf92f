"""InterPodAffinity (interpodaffinity/{filtering,scoring}.go, kube-scheduler/framework/types.go).

``matchLabelKeys`` and ``mismatchLabelKeys`` have no part here: the API server turns them into requirements of the
selector when the pod is created.
"""

from __future__ import annotations

from collections import Counter

from idcbench.scheduler.objects import Node, Pod, PodAffinityTerm, WeightedPodAffinityTerm

from .cluster import Cluster, labels_of
from .scene import Filter, Refusal, Scene, Score, Scores
from .selectors import is_empty, selects

Terms = tuple[PodAffinityTerm, ...]
Weighed = tuple[WeightedPodAffinityTerm, ...]


def required_affinity(pod: Pod) -> Terms:
    affinity = pod.spec.affinity and pod.spec.affinity.pod_affinity
    return _read((affinity and affinity.required) or ())


def required_anti_affinity(pod: Pod) -> Terms:
    affinity = pod.spec.affinity and pod.spec.affinity.pod_anti_affinity
    return _read((affinity and affinity.required) or ())


def _read(terms: Terms) -> Terms:
    """A list with a term that means nothing is no list (PodInfo.Update)."""
    known = {"In", "NotIn", "Exists", "DoesNotExist"}
    lines = [line for term in terms for line in (term.label_selector and term.label_selector.match_expressions) or ()]
    return terms if all(line.operator in known for line in lines) else ()


def preferred_affinity(pod: Pod) -> Weighed:
    affinity = pod.spec.affinity and pod.spec.affinity.pod_affinity
    return (affinity and affinity.preferred) or ()


def preferred_anti_affinity(pod: Pod) -> Weighed:
    affinity = pod.spec.affinity and pod.spec.affinity.pod_anti_affinity
    return (affinity and affinity.preferred) or ()


def namespace_labels(cluster: Cluster, name: str) -> dict[str, str]:
    """Of a namespace; none when it is not known."""
    for namespace in cluster.namespaces:
        if namespace.metadata.name == name:
            return labels_of(namespace)
    return {}


def names_namespace(term: PodAffinityTerm, owner: Pod, other: Pod, cluster: Cluster, *, incoming: bool) -> bool:
    """Whether a term of ``owner`` looks at the namespace of ``other``.

    The term of an ``incoming`` pod has its selector resolved to the namespaces that exist, one of a placed pod is
    held against the labels of the incoming pod's namespace, known or not.
    """
    name = other.metadata.namespace
    if not term.namespaces and term.namespace_selector is None:
        return name == owner.metadata.namespace
    if name in (term.namespaces or ()):
        return True
    if incoming and not is_empty(term.namespace_selector):
        exists = any(namespace.metadata.name == name for namespace in cluster.namespaces)
        return exists and selects(term.namespace_selector, namespace_labels(cluster, name))
    return selects(term.namespace_selector, namespace_labels(cluster, name))


def matches(term: PodAffinityTerm, owner: Pod, other: Pod, cluster: Cluster, *, incoming: bool) -> bool:
    if not names_namespace(term, owner, other, cluster, incoming=incoming):
        return False
    return selects(term.label_selector, labels_of(other))


def _fulfils_all(scene: Scene, terms: Terms, other: Pod) -> bool:
    """One and the same pod must match every term."""
    return all(matches(term, scene.pod, other, scene.cluster, incoming=True) for term in terms)


def _affinity_pairs(scene: Scene, terms: Terms) -> set[tuple[str, str]]:
    """The topology pairs that hold a pod which matches all terms."""
    return {
        (term.topology_key, labels_of(node)[term.topology_key])
        for pod, node in scene.placed()
        if _fulfils_all(scene, terms, pod)
        for term in terms
        if term.topology_key in labels_of(node)
    }


def _affinity_holds(scene: Scene, node: Node) -> bool:
    terms = required_affinity(scene.pod)
    if not terms:
        return True
    if any(term.topology_key not in labels_of(node) for term in terms):
        return False
    pairs = _affinity_pairs(scene, terms)
    if all((term.topology_key, labels_of(node)[term.topology_key]) in pairs for term in terms):
        return True
    # the first of a group that wants to be together may go anywhere
    return not pairs and _fulfils_all(scene, terms, scene.pod)


def _near(term: PodAffinityTerm, node: Node, other: Node) -> bool:
    value = labels_of(node).get(term.topology_key)
    return value is not None and labels_of(other).get(term.topology_key) == value


def _inter_pod(scene: Scene, node: Node) -> Refusal | None:
    if not _affinity_holds(scene, node):
        reason = "node(s) didn't match pod affinity rules"
        return Refusal("InterPodAffinity", frozenset({reason}), resolvable=False)
    for term in required_anti_affinity(scene.pod):
        for pod, other in scene.placed():
            if _near(term, node, other) and matches(term, scene.pod, pod, scene.cluster, incoming=True):
                return Refusal("InterPodAffinity", frozenset({"node(s) didn't match pod anti-affinity rules"}))
    for pod, other in scene.placed():
        for term in required_anti_affinity(pod):
            if _near(term, node, other) and matches(term, pod, scene.pod, scene.cluster, incoming=False):
                reason = "node(s) didn't satisfy existing pods anti-affinity rules"
                return Refusal("InterPodAffinity", frozenset({reason}))
    return None


def _has_no_part(scene: Scene) -> bool:
    """Neither the pod has required terms, nor is it avoided by a placed pod (on a node that has the term's key)."""
    if required_affinity(scene.pod) or required_anti_affinity(scene.pod):
        return False
    return not any(
        term.topology_key in labels_of(node) and matches(term, pod, scene.pod, scene.cluster, incoming=False)
        for pod, node in scene.placed()
        for term in required_anti_affinity(pod)
    )


def _inter_pod_score(scene: Scene, nodes: list[Node]) -> Scores | None:
    """Weights of preferred terms, both ways, per topology pair; then each node's pairs are summed."""
    own, against = preferred_affinity(scene.pod), preferred_anti_affinity(scene.pod)
    if scene.profile.ignore_preferred_of_existing and not (own or against):
        return None
    pairs: Counter[tuple[str, str]] = Counter()
    touched = set()

    def add(term: PodAffinityTerm, weight: int, node: Node) -> None:
        if term.topology_key in labels_of(node):
            pair = (term.topology_key, labels_of(node)[term.topology_key])
            pairs[pair] += weight
            touched.add(pair)

    for pod, node in scene.placed():
        for sign, mine in ((1, own), (-1, against)):
            for each in mine:
                if matches(each.pod_affinity_term, scene.pod, pod, scene.cluster, incoming=True):
                    add(each.pod_affinity_term, sign * each.weight, node)
        if scene.profile.hard_affinity_weight > 0:
            for term in required_affinity(pod):
                if matches(term, pod, scene.pod, scene.cluster, incoming=False):
                    add(term, scene.profile.hard_affinity_weight, node)
        for sign, theirs in ((1, preferred_affinity(pod)), (-1, preferred_anti_affinity(pod))):
            for each in theirs:
                if matches(each.pod_affinity_term, pod, scene.pod, scene.cluster, incoming=False):
                    add(each.pod_affinity_term, sign * each.weight, node)
    if not touched:
        return None
    return {node.metadata.name: sum(pairs[pair] for pair in set(labels_of(node).items())) for node in nodes}


def _normalise(_scene: Scene, raw: Scores) -> Scores:
    most, least = max(raw.values()), min(raw.values())
    if most == least:
        return dict.fromkeys(raw, 0)
    return {name: int(100.0 * ((score - least) / (most - least))) for name, score in raw.items()}


INTER_POD = Filter("InterPodAffinity", _inter_pod, skips=_has_no_part)
INTER_POD_SCORE = Score("InterPodAffinity", _inter_pod_score, _normalise)
