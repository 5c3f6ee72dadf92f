"""The engine against the plain Python oracle, on clusters and pods that hypothesis makes. Needs nothing built."""

from __future__ import annotations

from typing import Any

import pytest
from against_real.engine_check import engine_differences
from against_real.oracle_answer import oracle_answer
from cases import THEMES, Case
from cases.strategies import cases
from hypothesis import HealthCheck, Verbosity, given, settings
from hypothesis import strategies as st

from idcbench.scheduler.engine.engine import ClusterEngine

TOLD = settings(max_examples=25, verbosity=Verbosity.quiet, suppress_health_check=list(HealthCheck), database=None)


TOGETHER = (
    "nominated interpod", "nominated spread crowded", "nominated limits", "nominated restrictions",
    "crowded spread interpod", "crowded limits restrictions binding", "crowded limits", "crowded restrictions",
    "crowded resources nominated", "crowded resize", "named affinity", "configured interpod nominated",
)  # fmt: skip
"""Matters that meet rarely where themes are drawn, and have differed."""


@pytest.mark.parametrize("themes", [*THEMES, *TOGETHER])
def test_engine_and_oracle_agree(themes: str) -> None:
    @TOLD
    @given(cases(themes.split()))
    def agree(case: Case) -> None:
        assert engine_differences(ClusterEngine, case, oracle_answer(case)) == []

    agree()


@TOLD
@given(cases(), st.data())
def test_an_engine_that_has_lived_says_the_same_as_a_new_one(case: Case, data: Any) -> None:
    """Objects come, go and come again, in any order: what is left counts, and nothing else."""
    history = data.draw(st.lists(st.integers(0, len(case["objects"]["pods"])), max_size=12))

    def lived(policies: Any) -> ClusterEngine:
        return Lived(policies, history)

    assert engine_differences(lived, case, oracle_answer(case)) == []


class Lived(ClusterEngine):
    """Takes some of the pods that it was told of away and puts them back before it is asked."""

    def __init__(self, policies: Any, history: list[int]) -> None:
        super().__init__(policies)
        self._history, self._told = history, list[Any]()

    def set(self, resource: Any, obj: Any) -> None:
        super().set(resource, obj)
        if resource == "pods":
            self._told.append(obj)

    def explain(self, pod: Any) -> Any:
        for number in self._history if self._told else ():
            again = self._told[number % len(self._told)]
            super().remove("pods", again)
            super().set("pods", again)
        return super().explain(pod)
