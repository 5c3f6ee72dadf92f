"""What pods must satisfy with regard to each other: affinity, anti-affinity, spreading.

Judged by the final state. Where pods only come, that loses nothing for anti-affinity and affinity; a skew is judged by
a bound that holds at the end whatever the order was (:func:`_skewed`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ..objects import LabelSelector, Node, Pod, PodAffinityTerm, SpreadConstraint
from .checking_labels import Labels, matches, namespaces_of, node_matches, with_label_keys

_key = msgspec.json.Encoder(order="deterministic").encode


class Neighbourhood:
    """Pods by where they are; counts what a selector matches per domain, once for equal selectors."""

    def __init__(self, nodes: Sequence[Node], pods: Sequence[Pod], namespaces: Mapping[str, Labels]) -> None:
        self.nodes = {node.metadata.name: node for node in nodes}
        self.pods = [pod for pod in pods if pod.spec.node_name in self.nodes]
        self.namespaces = namespaces
        self._counted: dict[tuple[bytes, frozenset[str], str], Counter[str]] = {}
        self._eligible: dict[bytes, frozenset[str]] = {}

    def domain(self, pod: Pod, key: str) -> str | None:
        """The value of the topology key where the pod is."""
        return (self.nodes[pod.spec.node_name].metadata.labels or {}).get(key)

    def count(self, selector: LabelSelector | None, namespaces: frozenset[str], key: str) -> Counter[str]:
        """How many pods of the namespaces match, by domain."""
        name = (_key(selector), namespaces, key)
        if name not in self._counted:
            self._counted[name] = Counter(
                domain
                for pod in self.pods
                if pod.metadata.namespace in namespaces and matches(selector, pod.metadata.labels or {})
                if (domain := self.domain(pod, key)) is not None
            )
        return self._counted[name]

    def eligible_domains(self, pod: Pod, key: str) -> frozenset[str]:
        """The domains of the nodes that the pod's own node selector and affinity allow."""
        name = _key((pod.spec.node_selector, pod.spec.affinity and pod.spec.affinity.node_affinity, key))
        if name not in self._eligible:
            labels = ((node.metadata.name, node.metadata.labels or {}) for node in self.nodes.values())
            self._eligible[name] = frozenset(
                own[key] for each, own in labels if key in own and node_matches(pod, name=each, labels=own)
            )
        return self._eligible[name]


def violations(around: Neighbourhood) -> Iterator[str]:
    """Everything wrong about the pods among each other, as sentences."""
    for pod in around.pods:
        affinity = pod.spec.affinity
        if affinity and affinity.pod_affinity:
            for term in affinity.pod_affinity.required or ():
                yield from _lonely(around, pod, term)
        if affinity and affinity.pod_anti_affinity:
            for term in affinity.pod_anti_affinity.required or ():
                yield from _crowded(around, pod, term)
    yield from _skewed(around)


def _lonely(around: Neighbourhood, pod: Pod, term: PodAffinityTerm) -> Iterator[str]:
    """Nobody in the domain is what the pod wants near. One alone may be the first of its kind."""
    counts, itself = _others(around, pod, term)
    domain = around.domain(pod, term.topology_key)
    if domain is None or (counts[domain] - itself <= 0 and not (itself and counts.total() == 1)):
        where = f"{pod.key} on node {pod.spec.node_name}"
        yield f"{where}: nothing that its affinity asks for in {term.topology_key}={domain}"


def _crowded(around: Neighbourhood, pod: Pod, term: PodAffinityTerm) -> Iterator[str]:
    counts, itself = _others(around, pod, term)
    domain = around.domain(pod, term.topology_key)
    if domain is not None and (found := counts[domain] - itself) > 0:
        yield (
            f"{pod.key} on node {pod.spec.node_name}: {found} pods in {term.topology_key}={domain} "
            "that its anti-affinity forbids"
        )


def _others(around: Neighbourhood, pod: Pod, term: PodAffinityTerm) -> tuple[Counter[str], bool]:
    """How many pods match the term, by domain, and whether the pod itself is among them."""
    labels = pod.metadata.labels or {}
    selector = with_label_keys(
        term.label_selector, labels, same=term.match_label_keys or (), other=term.mismatch_label_keys or ()
    )
    namespaces = namespaces_of(term, pod, around.namespaces)
    itself = pod.metadata.namespace in namespaces and matches(selector, labels)
    return around.count(selector, namespaces, term.topology_key), itself


def _skewed(around: Neighbourhood) -> Iterator[str]:
    """Pods that carry a hard constraint, counted per domain, may not exceed the emptiest domain by more than the skew.

    When the last of them came, all that matched in its domain were at most ``maxSkew`` more than in the emptiest one,
    which can only have filled since; those that carry the constraint are some of them.
    """
    carriers: dict[tuple[bytes, str], tuple[Pod, SpreadConstraint, Counter[str]]] = {}
    for pod in around.pods:
        for constraint in pod.spec.topology_spread_constraints or ():
            domain = around.domain(pod, constraint.topology_key)
            if constraint.when_unsatisfiable != "DoNotSchedule":
                continue
            if domain is None:
                where = f"{pod.key} on node {pod.spec.node_name}"
                yield f"{where}: the node has no {constraint.topology_key} to spread over"
                continue
            selector = _selector(pod, constraint)
            name = (_key((selector, constraint, pod.spec.node_selector, _node_affinity(pod))), pod.metadata.namespace)
            _, _, counts = carriers.setdefault(name, (pod, constraint, Counter()))
            if matches(selector, pod.metadata.labels or {}):
                counts[domain] += 1
    for pod, constraint, counts in carriers.values():
        yield from _over_the_skew(around, pod, constraint, counts)


def _over_the_skew(
    around: Neighbourhood, pod: Pod, constraint: SpreadConstraint, counts: Counter[str]
) -> Iterator[str]:
    key = constraint.topology_key
    domains = around.eligible_domains(pod, key)
    everyone = around.count(_selector(pod, constraint), frozenset((pod.metadata.namespace,)), key)
    emptiest = min((everyone[domain] for domain in domains), default=0)
    if constraint.min_domains and len(domains) < constraint.min_domains:
        emptiest = 0
    for domain, count in counts.items():
        if count > emptiest + constraint.max_skew:
            yield (
                f"{key}={domain} holds {count} pods like {pod.key}, the emptiest domain {emptiest}; "
                f"maxSkew is {constraint.max_skew}"
            )


def _selector(pod: Pod, constraint: SpreadConstraint) -> LabelSelector | None:
    return with_label_keys(constraint.label_selector, pod.metadata.labels or {}, same=constraint.match_label_keys or ())


def _node_affinity(pod: Pod) -> object:
    return pod.spec.affinity and pod.spec.affinity.node_affinity
