"""A short form of scripts/compare_real_scheduler.py."""

from __future__ import annotations

from random import Random

import pytest
from against_real.coverage import FILTERS, SCORES, Coverage
from against_real.engine_check import engine_differences
from against_real.oracle_check import oracle_differences
from against_real.reference import Reference
from cases import THEMES, Case, make_case

pytestmark = pytest.mark.integration

EACH = 20
"""Cases of each theme."""


def some_cases() -> list[Case]:
    full = [make_case(Random(f"full {i}"), f"full-{i}", ["crowded", "resources"]) for i in range(2 * EACH)]
    return full + [
        make_case(Random(f"{theme} {i}"), f"{theme}-{i}", [theme, *([] if i % 2 else ["interpod", "spread"])])
        for theme in THEMES
        for i in range(EACH)
    ]


def test_the_oracle_says_what_kube_scheduler_says(reference: Reference) -> None:
    seen = Coverage()
    for case, answer in reference.answers(some_cases()):
        assert not answer.error, case["id"]
        assert oracle_differences(case, answer) == [], case["id"]
        seen.add(answer)
    # each rule was really asked, and told nodes apart
    assert [plugin for plugin in FILTERS if not seen.parted[plugin]] == []
    assert [plugin for plugin in SCORES if not seen.ranked[plugin]] == []
    assert seen.preempted > 5


def test_the_engine_places_where_kube_scheduler_would(reference: Reference) -> None:
    from idcbench.scheduler.engine.engine import ClusterEngine

    differences = {
        case["id"]: found
        for case, answer in reference.answers(some_cases())
        if (found := engine_differences(ClusterEngine, case, answer))
    }
    assert differences == {}


def test_what_the_scheduler_itself_chooses_is_of_the_best(reference: Reference) -> None:
    """The program's own loop over the plugins agrees with Scheduler.SchedulePod."""
    for case, answer in reference.answers(some_cases()):
        if len(answer.feasible) > 1:
            assert answer.chosen in answer.eligible(case["pod"]["status"].get("nominatedNodeName")), case["id"]
        else:
            assert (answer.chosen,) == answer.feasible or not (answer.chosen or answer.feasible), case["id"]


def test_a_broken_case_is_answered_with_its_error(reference: Reference) -> None:
    broken: Case = {"id": "broken", "objects": {"nodes": []}, "pod": {"spec": {"containers": 3}}}
    sound = make_case(Random(1), "sound")
    answers = [answer for _, answer in reference.answers([broken, sound])]
    assert "not readable" in answers[0].error
    assert (answers[1].id, answers[1].error) == ("sound", "")
