"""The ceiling of a load process: found in what was sent, kept, and held against plans. No test judges its height."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.kube.access import Access
from idcbench.measure import ceiling, loader
from idcbench.measure.arrivals import constant, replay
from idcbench.measure.calls import Call, Http
from idcbench.measure.ceiling import Staircase, known_ceiling, measure_ceiling, measured_ceiling, on_core
from idcbench.measure.loader import LoadPlan, PlanError, run_load
from idcbench.measure.open_loop import SENT, Outcome

READ = Call(name="read", path="/a")
NOBODY = Access(server="http://127.0.0.1:1", kubeconfig=Path())


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@given(st.integers(0, 12), st.sets(st.integers(0, 12), max_size=4))
def test_the_highest_good_step_counts_whatever_spoilt_one_below(capacity: int, spoilt: set[int]) -> None:
    """Every step above the capacity is late or unanswered."""
    stairs = Staircase.up_to(7000)
    sent = np.zeros(len(stairs.planned_ns), dtype=SENT)
    sent["planned_ns"] = sent["started_ns"] = stairs.planned_ns
    step = stairs.planned_ns // int(ceiling.STEP_S * 1e9)
    assert step.max() == len(stairs.rates_per_s) - 1 == 13
    sent["started_ns"][(step > capacity) & (step % 2 == 0)] += 11_000_000
    sent["outcome"][(step > capacity) & (step % 2 == 1)] = Outcome.LATE
    for each in spoilt - {capacity}:
        sent["started_ns"][step == each] += 15_000_000
    assert stairs.highest(sent) == stairs.rates_per_s[capacity]


@given(st.lists(st.floats(0, 3), max_size=40))
def test_the_peak_is_the_fullest_second(times: list[float]) -> None:
    planned = replay([0.0, *sorted(times), 5.0])
    fullest = max(int(((planned >= at) & (planned < at + 10**9)).sum()) for at in planned)
    assert LoadPlan(planned_ns=planned, calls=(READ,)).peak_per_s == fullest


def test_a_plan_above_the_ceiling_is_refused_after_another_look(monkeypatch: pytest.MonkeyPatch) -> None:
    heights = [2000.0, 1500.0, 3000.0]
    monkeypatch.setattr(ceiling, "measured_ceiling", lambda _: heights.pop(0))
    plan = LoadPlan(planned_ns=constant(4500, 1), calls=(READ,), processes=2)
    for _ in range(2):
        with pytest.raises(
            PlanError, match=r"4500 requests in a second from 2 processes; .* up to 2000/s over HTTP/1.1"
        ):
            run_load(NOBODY, plan)
    loader.check_rate(plan)
    known = known_ceiling("1.1")
    assert known is not None
    assert known.rate_per_s == 3000
    assert known_ceiling("2") is None
    loader.check_rate(plan)
    assert heights == []


def test_what_any_machine_can_do_needs_no_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceiling, "measured_ceiling", lambda _: pytest.fail("measured"))
    loader.check_rate(LoadPlan(planned_ns=constant(1000, 1), calls=(READ,)))
    loader.check_rate(LoadPlan(planned_ns=constant(10, 0.05), calls=(READ,)))


def test_a_state_directory_that_cannot_be_written_or_read_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceiling, "measured_ceiling", lambda _: 2000.0)
    (tmp_path / "idcbench").write_text("in the way")
    assert measure_ceiling("2").rate_per_s == 2000
    assert known_ceiling("2") is None


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_it_is_measured_over_tls(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ceiling.MOST_PER_S, http, 1600.0)
    assert measured_ceiling(http) in (1000.0, 1500.0)


def test_cores_are_given_back() -> None:
    import os

    before = os.sched_getaffinity(0)
    with on_core(-1):
        assert os.sched_getaffinity(0) == {max(before)}
    assert os.sched_getaffinity(0) == before
