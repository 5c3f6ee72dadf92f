"""Whether labels suit a selector (apimachinery/pkg/labels, component-helpers/scheduling/corev1/nodeaffinity)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from idcbench.scheduler.objects import LabelSelector, Node, NodeSelector, NodeSelectorTerm, Requirement

from .cluster import labels_of

_INTEGER = re.compile(r"[+-]?[0-9]+")
_VALUE = re.compile(r"(?=.{0,63}$)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", re.ASCII)
"""What a label's value may be (apimachinery/pkg/util/validation); so no Gt or Lt with a negative number."""


class UnparsableError(ValueError):
    """A requirement that kube-scheduler cannot parse; whoever asks decides what that means."""


def holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    """One line of a selector. Raises UnparsableError for an unknown operator or a wrong number of values."""
    check(requirement)
    values = requirement.values or ()
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    number = whole(value)
    if number is None:
        return False
    bound = int(values[0])
    return number > bound if requirement.operator == "Gt" else number < bound


def check(requirement: Requirement) -> None:
    values = requirement.values or ()
    match requirement.operator:
        case "In" | "NotIn":
            fine = len(values) > 0
        case "Exists" | "DoesNotExist":
            fine = not values
        case "Gt" | "Lt":
            fine = len(values) == 1 and whole(values[0]) is not None
        case _:
            fine = False
    if not fine or not all(map(_VALUE.fullmatch, values)):
        raise UnparsableError(f"{requirement.key} {requirement.operator} {values}")


def whole(text: str | None) -> int | None:
    """As Go's strconv.ParseInt with 64 bits."""
    if text is None or not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        return None
    return int(text)


def selects(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """No selector selects nothing, an empty one everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.match_labels or {}).items()):
        return False
    return all(holds(requirement, labels) for requirement in selector.match_expressions or ())


def is_empty(selector: LabelSelector | None) -> bool:
    return selector is not None and not selector.match_labels and not selector.match_expressions


def term_holds(term: NodeSelectorTerm, node: Node, *, name: str | None = None) -> bool:
    """All requirements of a term; ``name`` is what ``metadata.name`` is compared with. Raises UnparsableError."""
    for requirement in term.match_fields or ():
        if requirement.operator not in ("In", "NotIn") or len(requirement.values or ()) != 1:
            raise UnparsableError(f"field {requirement}")
    for requirement in term.match_expressions or ():
        check(requirement)
    if not all(holds(requirement, labels_of(node)) for requirement in term.match_expressions or ()):
        return False
    return not name or all(holds(requirement, {"metadata.name": name}) for requirement in term.match_fields or ())


def node_selected(selector: NodeSelector, node: Node, *, nameless: bool = False) -> bool:
    """One term must hold. Terms without requirements, and unparsable ones, match nothing.

    ``nameless`` leaves field requirements out, as a volume's node affinity does.
    """
    for term in selector.node_selector_terms or ():
        if not term.match_expressions and not term.match_fields:
            continue
        try:
            if term_holds(term, node, name=None if nameless else node.metadata.name):
                return True
        except UnparsableError:
            continue
    return False
