"""The standard load: its rates, that deletes take the oldest, and that nothing is deleted that was not made."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from idcbench.measure import standard
from idcbench.measure.harness import HarnessMeter
from idcbench.measure.loader import LoadPlan


def of(plan: LoadPlan, name: str) -> tuple[np.ndarray, np.ndarray]:
    """When the requests of one sort are, and what numbers they bear."""
    assert plan.sorts is not None
    assert plan.numbers is not None
    chosen = plan.sorts == [call.name for call in plan.calls].index(name)
    return plan.planned_ns[chosen], plan.numbers[chosen]


def test_every_second_has_the_same_requests() -> None:
    plan = standard.standard_load("x", duration_s=7)
    names = [call.name for call in plan.calls]
    for second in range(7):
        chosen = (plan.planned_ns // 1_000_000_000) == second
        assert Counter(names[sort] for sort in plan.sorts[chosen]) == {  # type: ignore[index]
            "create pod": 10, "delete pod": 10, "get pod": 20, "get configmap": 25, "list pods": 5,
        }  # fmt: skip
    assert (np.diff(plan.planned_ns) > 0).all(), "no two requests are planned for the same moment"


def test_a_delete_takes_the_oldest_that_is_left_a_life_after_it_was_made() -> None:
    plan = standard.standard_load("x", duration_s=30)
    made_ns, made = of(plan, standard.CREATE)
    deleted_ns, deleted = of(plan, standard.DELETE)
    assert list(made) == list(range(standard.STOCK, standard.STOCK + 300))
    assert list(deleted) == list(range(300))
    own = dict(zip(made, made_ns, strict=True))
    lives_s = [(at - own[number]) / 1e9 for number, at in zip(deleted, deleted_ns, strict=True) if number in own]
    assert lives_s == pytest.approx([standard.LIFE_S + 0.05] * len(lives_s), abs=1e-6)
    assert len(standard.stock_load("x").planned_ns) == standard.STOCK


def test_paths_and_bodies_are_those_of_the_namespace() -> None:
    for call in standard.calls_in("some"):
        assert call.path.startswith("/api/v1/namespaces/some/")
        if call.body:
            assert json.loads(call.body)["metadata"]["name"] == "std-{n}"


def test_the_harness_is_this_process_and_what_it_starts_also_when_that_has_ended() -> None:
    meter = HarnessMeter.start()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"], check=True)
    assert meter.cpu_s() >= 0.28
