import pytest

from idcbench.scheduler.objects import LabelSelector, NodeSelector, NodeSelectorTerm, Requirement
from idcbench.scheduler.selectors import SelectorError, integer, label_selector, node_selector, node_selector_term


@pytest.mark.parametrize(
    ("operator", "values", "labels", "holds"),
    [
        ("In", ("a", "b"), {"k": "b"}, True),
        ("In", ("a", "b"), {"k": "c"}, False),
        ("In", ("",), {"k": ""}, True),
        ("In", ("",), {}, False),
        ("NotIn", ("a",), {"k": "b"}, True),
        ("NotIn", ("a",), {"k": "a"}, False),
        ("NotIn", ("a",), {}, True),
        ("Exists", (), {"k": ""}, True),
        ("Exists", None, {}, False),
        ("DoesNotExist", (), {}, True),
        ("DoesNotExist", (), {"k": "a"}, False),
        ("Gt", ("5",), {"k": "6"}, True),
        ("Gt", ("5",), {"k": "5"}, False),
        ("Gt", ("5",), {}, False),
        ("Gt", ("5",), {"k": "six"}, False),
        ("Gt", ("5",), {"k": "9223372036854775808"}, False),
        ("Gt", ("5",), {"k": "1_0"}, False),
        ("Gt", ("5",), {"k": "٦"}, False),
        ("Lt", ("5",), {"k": "04"}, True),
        ("Lt", ("5",), {"k": "5"}, False),
    ],
)
def test_requirements_of_a_node_term(
    operator: str, values: tuple[str, ...] | None, labels: dict[str, str], holds: bool
) -> None:
    term = NodeSelectorTerm(match_expressions=(Requirement("k", operator, values),))
    assert node_selector_term(term)(labels, {}) is holds


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Requirement("k", "Near", ("a",)), "operator 'Near' for key 'k' is unknown"),
        (Requirement("k", "in", ("a",)), "operator 'in' for key 'k' is unknown"),
        (Requirement("k", "In"), "no values"),
        (Requirement("k", "Exists", ("a",)), "1 values where none"),
        (Requirement("k", "Gt", ("a",)), "one whole number"),
        (Requirement("k", "Lt", ("1", "2")), "one whole number"),
        (Requirement("", "Exists"), "no label key"),
        (Requirement("a/b/c", "Exists"), "no label key"),
        (Requirement("Upper.Case/name", "Exists"), "no label key"),
        (Requirement("x" * 64, "Exists"), "no label key"),
        (Requirement("k", "NotIn", ("ünsinn",)), "which no label can have"),
    ],
)
def test_what_means_nothing_is_an_error_that_names_the_object(line: Requirement, words: str) -> None:
    with pytest.raises(SelectorError, match=words) as caught:
        node_selector_term(NodeSelectorTerm(match_expressions=(line,)), of="pod a/b")
    assert str(caught.value).startswith("pod a/b: ")


def test_a_label_selector_knows_no_order() -> None:
    with pytest.raises(SelectorError, match="'Gt'"):
        label_selector(LabelSelector(match_expressions=(Requirement("k", "Gt", ("1",)),)))


def test_no_label_selector_is_nothing_and_an_empty_one_everything() -> None:
    assert not label_selector(None)({})
    assert label_selector(LabelSelector())({"a": "b"})


def test_labels_and_requirements_must_all_hold() -> None:
    holds = label_selector(LabelSelector({"app": "web"}, (Requirement("tier", "NotIn", ("db",)),)))
    assert holds({"app": "web"})
    assert not holds({"app": "web", "tier": "db"})
    assert not holds({"tier": "web"})


def test_keys_with_a_prefix_and_long_values_are_valid() -> None:
    holds = label_selector(LabelSelector({"topology.kubernetes.io/zone": "v" * 63}))
    assert holds({"topology.kubernetes.io/zone": "v" * 63})


def test_terms_are_alternatives_and_an_empty_one_matches_nothing() -> None:
    zone = NodeSelectorTerm(match_expressions=(Requirement("zone", "In", ("a",)),))
    name = NodeSelectorTerm(match_fields=(Requirement("metadata.name", "In", ("n1",)),))
    holds = node_selector(NodeSelector((zone, name, NodeSelectorTerm())))
    assert holds({"zone": "a"}, {"metadata.name": "n2"})
    assert holds({}, {"metadata.name": "n1"})
    assert not holds({}, {"metadata.name": "n2"})
    assert not node_selector(NodeSelector())({}, {})
    assert not node_selector(NodeSelector((NodeSelectorTerm(),)))({}, {})


def test_labels_and_fields_of_one_term_must_both_hold() -> None:
    term = NodeSelectorTerm((Requirement("zone", "In", ("a",)),), (Requirement("metadata.name", "NotIn", ("n1",)),))
    holds = node_selector_term(term)
    assert holds({"zone": "a"}, {"metadata.name": "n2"})
    assert not holds({"zone": "a"}, {"metadata.name": "n1"})
    assert not holds({"zone": "b"}, {"metadata.name": "n2"})


def test_without_fields_only_labels_are_asked_for() -> None:
    lines = (Requirement("zone", "In", ("a",)),)
    holds = node_selector_term(NodeSelectorTerm(lines, (Requirement("metadata.name", "In", ("n1",)),)))
    assert holds({"zone": "a"}, {}), "a volume's affinity is asked about labels alone"
    assert not holds({"zone": "b"}, {})


@pytest.mark.parametrize(
    "line", [Requirement("metadata.name", "Exists"), Requirement("metadata.name", "In", ("a", "b"))]
)
def test_fields_are_compared_with_one_value(line: Requirement) -> None:
    with pytest.raises(SelectorError, match=r"metadata\.name"):
        node_selector_term(NodeSelectorTerm(match_fields=(line,)))


def test_an_invalid_term_leaves_the_others_in_force() -> None:
    bad = NodeSelectorTerm(match_expressions=(Requirement("zone", "Near", ("a",)),))
    good = NodeSelectorTerm(match_expressions=(Requirement("zone", "In", ("b",)),))
    holds = node_selector(NodeSelector((bad, good)))
    assert holds({"zone": "b"}, {})
    assert not holds({"zone": "a"}, {})
    with pytest.raises(SelectorError, match="pod a/b: operator 'Near'"):
        node_selector(NodeSelector((bad,)), of="pod a/b")


@pytest.mark.parametrize(
    ("text", "number"),
    [("+7", 7), ("-7", -7), ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)), ("", None)],
)
def test_integers(text: str, number: int | None) -> None:
    assert integer(text) == number
