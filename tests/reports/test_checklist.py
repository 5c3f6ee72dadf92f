"""The list of checks."""

from __future__ import annotations

from idcbench.reports.checklist import Proof, areas, in_trouble, proofs, skipped, title
from idcbench.runs.schema import Check

HERE = "idcbench/suites/functional"
CHECKS = (
    Check(nodeid=f"{HERE}/test_jobs.py::test_a", title="A", suite="functional", proves="controller", outcome="passed"),
    Check(
        nodeid=f"{HERE}/test_names_of.py::test_b", title="B", suite="functional", proves="api", negative=True,
        outcome="passed",
    ),
    Check(
        nodeid=f"{HERE}/test_jobs.py::test_c[x-1]", title="C", suite="functional", proves="api", negative=True,
        outcome="failed",
    ),
    Check(nodeid="mine/test_d.py::test_d", outcome="skipped", reason="no pods"),
)  # fmt: skip


def test_areas_are_modules_in_the_order_of_their_first_check() -> None:
    assert [(it.suite, it.name, it.counts, it.good) for it in areas(CHECKS)] == [
        ("functional", "jobs", {"passed": 1, "failed": 1}, False),
        ("functional", "names of", {"passed": 1}, True),
        ("", "d", {"skipped": 1}, True),
    ]


def test_what_is_proved_goes_from_the_api_to_the_node_and_always_names_the_kubelet() -> None:
    assert proofs(CHECKS) == (
        Proof(part="api", passed=1, negative=1, total=2),
        Proof(part="controller", passed=1, negative=0, total=1),
        Proof(part="kubelet", passed=0, negative=0, total=0),
    )


def test_titles_carry_parameters_and_fall_back_to_the_name() -> None:
    assert [title(check) for check in CHECKS] == ["A", "B", "C (x-1)", "test_d"]


def test_trouble_and_skips() -> None:
    assert in_trouble(CHECKS) == (CHECKS[2],)
    assert skipped(CHECKS) == (("no pods", (CHECKS[3],)),)
