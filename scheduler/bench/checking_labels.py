"""Selectors for the checker: written anew from the API's documentation, so that no fault of the engine is shared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..objects import LabelSelector, NodeSelectorTerm, Pod, PodAffinityTerm, Requirement

Labels = Mapping[str, str]


def matches(selector: LabelSelector | None, labels: Labels) -> bool:
    """``None`` matches nothing, an empty selector everything."""
    if selector is None:
        return False
    wanted = selector.match_labels or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and _hold(selector.match_expressions, labels)


def node_matches(pod: Pod, *, name: str, labels: Labels) -> bool:
    """Whether the pod's node selector and its required node affinity allow a node."""
    if any(labels.get(key) != value for key, value in (pod.spec.node_selector or {}).items()):
        return False
    affinity = pod.spec.affinity and pod.spec.affinity.node_affinity
    if not affinity or affinity.required is None:
        return True
    terms = affinity.required.node_selector_terms or ()
    return any(_term_matches(term, name=name, labels=labels) for term in terms)


def with_label_keys(
    selector: LabelSelector | None, labels: Labels, *, same: Iterable[str] = (), other: Iterable[str] = ()
) -> LabelSelector | None:
    """The selector, with the pod's own values of ``matchLabelKeys`` (``same``) and ``mismatchLabelKeys`` asked for."""
    if selector is None:
        return None
    more = [Requirement(key, "In", (labels[key],)) for key in same if key in labels]
    more += [Requirement(key, "NotIn", (labels[key],)) for key in other if key in labels]
    return LabelSelector(selector.match_labels, (*(selector.match_expressions or ()), *more))


def namespaces_of(term: PodAffinityTerm, pod: Pod, namespaces: Mapping[str, Labels]) -> frozenset[str]:
    """The namespaces that a term speaks of: named, selected, or with neither the pod's own."""
    named = frozenset(term.namespaces or ())
    if term.namespace_selector is not None:
        return named | {name for name, labels in namespaces.items() if matches(term.namespace_selector, labels)}
    return named or frozenset((pod.metadata.namespace,))


def _term_matches(term: NodeSelectorTerm, *, name: str, labels: Labels) -> bool:
    if not term.match_expressions and not term.match_fields:
        return False
    return _hold(term.match_expressions, labels) and _hold(term.match_fields, {"metadata.name": name})


def _hold(lines: Iterable[Requirement] | None, labels: Labels) -> bool:
    return all(_holds(line, labels) for line in lines or ())


def _holds(line: Requirement, labels: Labels) -> bool:
    there, values = line.key in labels, line.values or ()
    match line.operator:
        case "In":
            return there and labels[line.key] in values
        case "NotIn":
            return not there or labels[line.key] not in values
        case "Exists":
            return there
        case "DoesNotExist":
            return not there
        case "Gt" | "Lt":
            return there and _compare(labels[line.key], values[0], greater=line.operator == "Gt")
    raise ValueError(f"the checker knows no operator {line.operator!r}; teach it, or leave that pod out")


def _compare(found: str, bound: str, *, greater: bool) -> bool:
    try:
        return int(found) > int(bound) if greater else int(found) < int(bound)
    except ValueError:
        return False
