"""``addedAffinity``: a core/v1 NodeAffinity in a configuration file, as strict as the API server would be."""

from __future__ import annotations

from ...yamlfile.values import Section
from ..objects import NodeAffinity, NodeSelector, NodeSelectorTerm, Requirement
from ..objects.pod import PreferredSchedulingTerm
from ..selectors import SelectorError, node_selector_term

REQUIRED, PREFERRED = (f"{word}DuringSchedulingIgnoredDuringExecution" for word in ("required", "preferred"))


def read_node_affinity(section: Section) -> NodeAffinity:
    """Read the section. Raises :class:`~idcbench.errors.UsageError` with the line."""
    required = section.take(REQUIRED)
    affinity = NodeAffinity(
        required=_selector(required.section()) if required else None,
        preferred=tuple(_preferred(entry) for entry in section.sections(PREFERRED)) or None,
    )
    section.close()
    return affinity


def _selector(section: Section) -> NodeSelector:
    terms = tuple(_term(entry) for entry in section.sections("nodeSelectorTerms"))
    section.close()
    if not terms:
        section.value.refuse("nodeSelectorTerms: at least one term is wanted; found none")
    return NodeSelector(node_selector_terms=terms)


def _preferred(section: Section) -> PreferredSchedulingTerm:
    weight = section.need("weight", what="1 to 100").whole(least=1, most=100)
    term = _term(section.need("preference", what="a term").section())
    section.close()
    return PreferredSchedulingTerm(weight=weight, preference=term)


def _term(section: Section) -> NodeSelectorTerm:
    term = NodeSelectorTerm(
        match_expressions=tuple(_label(entry) for entry in section.sections("matchExpressions")) or None,
        match_fields=tuple(_field(entry) for entry in section.sections("matchFields")) or None,
    )
    section.close()
    return term


def _label(section: Section) -> Requirement:
    key = section.need("key", what="the key of a node label").name()
    operator = section.need("operator", what="an operator").choice("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
    values = _values(section)
    section.close()
    return _understood(section, Requirement(key=key, operator=operator, values=values or None))


def _understood(section: Section, line: Requirement) -> Requirement:
    """The line, if node selectors can be made of it: a key, and values, that labels can have."""
    try:
        node_selector_term(NodeSelectorTerm(match_expressions=(line,)), of="addedAffinity")
    except SelectorError as error:
        section.value.refuse(str(error).removeprefix("addedAffinity: "))
    return line


def _field(section: Section) -> Requirement:
    section.need("key", what="metadata.name").choice("metadata.name")
    operator = section.need("operator", what="In or NotIn").choice("In", "NotIn")
    values = _values(section)
    section.close()
    if len(values) != 1:
        section.value.refuse(f"a field wants one value; found {len(values)}")
    return Requirement(key="metadata.name", operator=operator, values=values)


def _values(section: Section) -> tuple[str, ...]:
    given = section.take("values")
    return tuple(item.text() for item in given.items()) if given else ()
