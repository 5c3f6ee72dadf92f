"""Label and node selectors as predicates on plain label maps, with the semantics of apimachinery and component-helpers.

What is invalid (an operator of a newer API, ``Gt`` without a number) raises ``SelectorError`` when the predicate is
made, never when it is called. ``of`` names the object that carries the selector, for that message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from .objects import LabelSelector, NodeSelector, NodeSelectorTerm, Requirement

Labels = Mapping[str, str]
LabelPredicate = Callable[[Labels], bool]
NodePredicate = Callable[[Labels, Labels], bool]
"""Called with a node's labels and its fields, ``{"metadata.name": …}``; without fields, they are not asked for."""

_SET_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_NODE_OPERATORS = (*_SET_OPERATORS, "Gt", "Lt")
_FIELD_OPERATORS = ("In", "NotIn")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NAME = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PREFIX_MOST = 253


class SelectorError(ValueError):
    """A selector that means nothing; the text names the object and the requirement at fault."""


def label_selector(selector: LabelSelector | None, *, of: str = "label selector") -> LabelPredicate:
    """What the selector matches: ``None`` nothing, an empty one everything. Raises ``SelectorError``."""
    if selector is None:
        return _nothing
    lines = [*(selector.match_expressions or ())]
    lines += (Requirement(key, "In", (value,)) for key, value in (selector.match_labels or {}).items())
    return _all([_on_labels(line, _SET_OPERATORS, of) for line in lines])


def node_selector_term(term: NodeSelectorTerm, *, of: str = "node selector term") -> NodePredicate:
    """What one term matches: an empty one nothing. Raises ``SelectorError``."""
    if not term.match_expressions and not term.match_fields:
        return _no_node
    by_labels = _all([_on_labels(line, _NODE_OPERATORS, of) for line in term.match_expressions or ()])
    by_fields = _all([_on_fields(line, of) for line in term.match_fields or ()])
    return lambda labels, fields: by_labels(labels) and (not fields or by_fields(fields))


def node_selector(selector: NodeSelector, *, of: str = "node selector") -> NodePredicate:
    """What any of the terms matches; without terms nothing.

    An invalid term matches no node, as with kube-scheduler; ``SelectorError`` is raised when no valid one is left
    beside it.
    """
    terms: list[NodePredicate] = []
    errors: list[SelectorError] = []
    for term in selector.node_selector_terms or ():
        try:
            terms.append(node_selector_term(term, of=of))
        except SelectorError as error:
            errors.append(error)
    if errors and not terms:
        raise errors[0]
    if len(terms) == 1:
        return terms[0]
    return lambda labels, fields: any(term(labels, fields) for term in terms)


def integer(text: str) -> int | None:
    """``text`` as a signed 64-bit decimal number, the only numbers that ``Gt`` and ``Lt`` compare."""
    if _INTEGER.fullmatch(text) is None or not -(2**63) <= int(text) < 2**63:
        return None
    return int(text)


def _on_labels(line: Requirement, operators: Sequence[str], of: str) -> LabelPredicate:
    key, values = line.key, line.values or ()
    _check(line, operators, of)
    match line.operator:
        case "In" if len(values) == 1:
            only = values[0]
            return lambda labels: labels.get(key) == only
        case "In":
            wanted = frozenset(values)
            return lambda labels: labels.get(key) in wanted
        case "NotIn":
            barred = frozenset(values)
            return lambda labels: labels.get(key) not in barred
        case "Exists":
            return lambda labels: key in labels
        case "DoesNotExist":
            return lambda labels: key not in labels
        case "Gt":
            return _compared(key, int(values[0]), sign=1)
        case _:
            return _compared(key, int(values[0]), sign=-1)


def _compared(key: str, bound: int, *, sign: int) -> LabelPredicate:
    def holds(labels: Labels) -> bool:
        number = integer(labels.get(key, ""))
        return number is not None and (number - bound) * sign > 0

    return holds


def _on_fields(line: Requirement, of: str) -> LabelPredicate:
    key, values = line.key, line.values or ()
    if line.operator not in _FIELD_OPERATORS:
        raise _unknown(line, _FIELD_OPERATORS, of)
    if len(values) != 1:
        raise _invalid(line, of, f"{len(values)} values where a field needs exactly one")
    value, wanted = values[0], line.operator == "In"
    return lambda fields: (fields.get(key, "") == value) is wanted


def _check(line: Requirement, operators: Sequence[str], of: str) -> None:
    values = line.values or ()
    if line.operator not in operators:
        raise _unknown(line, operators, of)
    if line.operator in ("In", "NotIn") and not values:
        raise _invalid(line, of, "no values where at least one is needed")
    if line.operator in ("Exists", "DoesNotExist") and values:
        raise _invalid(line, of, f"{len(values)} values where none is allowed")
    if line.operator in ("Gt", "Lt") and (len(values) != 1 or integer(values[0]) is None):
        raise _invalid(line, of, f"values {list(values)} where one whole number is needed")
    if not _is_key(line.key):
        raise _invalid(line, of, "a key that is no label key")
    for value in values:
        if value and _NAME.fullmatch(value) is None:
            raise _invalid(line, of, f"value {value!r}, which no label can have")


def _is_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > _PREFIX_MOST or _PREFIX.fullmatch(prefix) is None):
        return False
    return _NAME.fullmatch(name) is not None


def _unknown(line: Requirement, operators: Iterable[str], of: str) -> SelectorError:
    return SelectorError(
        f"{of}: operator {line.operator!r} for key {line.key!r} is unknown; use one of {', '.join(operators)}"
    )


def _invalid(line: Requirement, of: str, what: str) -> SelectorError:
    return SelectorError(f"{of}: {line.operator} for key {line.key!r} has {what}")


def _all(predicates: Sequence[LabelPredicate]) -> LabelPredicate:
    if not predicates:
        return _everything
    if len(predicates) == 1:
        return predicates[0]
    return lambda labels: all(predicate(labels) for predicate in predicates)


def _everything(_labels: Labels) -> bool:
    return True


def _nothing(_labels: Labels) -> bool:
    return False


def _no_node(_labels: Labels, _fields: Labels) -> bool:
    return False
