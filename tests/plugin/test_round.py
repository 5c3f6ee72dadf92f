"""A session that is one round of a run: it joins the directory, waits, brackets its tests, leaves its checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from idcbench.errors import ClusterError
from idcbench.measure.steady import Steady
from idcbench.plugin import owner
from idcbench.runs.directory import Run, create_run
from idcbench.runs.handover import handed_over
from idcbench.runs.rounds import round_windows

if TYPE_CHECKING:
    from conftest import Lab

JOIN = """
from pathlib import Path
from idcbench.runs.handover import Round
def pytest_idc_round(): return Round(run=Path({run!r}), number={number})
"""
RECORDS = "def test_it(idc_record): idc_record('a.b', 1.0, unit='ms')\n"


class Rounds:
    """A run that is there, and sessions that join it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.run: Run = create_run(lab.path / "runs", target_id="both")

    def make(self, number: int, *args: str) -> pytest.RunResult:
        (self.lab.path / f"join{number}.py").write_text(JOIN.format(run=str(self.run.path), number=number))
        return self.lab.run("--idc-target=fake", "--idc-keep", "-p", f"join{number}", "test_it.py", *args)


@pytest.fixture
def rounds(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Rounds:
    async def steady(*_: Any, **__: Any) -> Steady:
        return Steady(waited_s=0.1, busy=0.2)

    monkeypatch.setattr(owner, "wait_until_steady", steady)
    monkeypatch.syspath_prepend(str(lab.path))
    return Rounds(lab)


def test_rounds_join_one_run_and_leave_their_checks(rounds: Rounds) -> None:
    rounds.lab.test(RECORDS)
    assert rounds.make(1).ret == 0
    assert rounds.make(2).ret == 0
    assert not (rounds.lab.path / ".idcbench").exists(), "a round makes no run of its own"
    first, second = handed_over(rounds.run.path)
    assert (first.complete, second.complete) == (True, True)
    assert [check.round for check in (*first.checks, *second.checks)] == [1, 2]
    windows = round_windows(rounds.run.events())
    assert sorted(windows) == [1, 2]
    assert rounds.run.document().ended is None, "who began it ends it"
    assert (rounds.run.path / "logs/junit-2.xml").is_file()


def test_values_lie_within_their_round(rounds: Rounds) -> None:
    rounds.lab.test(RECORDS)
    rounds.make(1)
    ((began, ended),) = round_windows(rounds.run.events()).values()
    (metric,) = [one for one in rounds.run.document().metrics if one.name == "a.b"]
    assert metric.n == 1
    assert began < ended


@pytest.mark.parametrize(
    ("source", "args", "complete"),
    [
        ("def test_it(idc_cluster): assert 0\n", (), True),
        ("def test_a(idc_cluster): assert 0\ndef test_b(idc_cluster): pass\n", ("-x",), False),
    ],
)
def test_only_a_round_whose_tests_all_ran_is_complete(
    rounds: Rounds, source: str, args: tuple[str, ...], complete: bool
) -> None:
    rounds.lab.test(source)
    rounds.make(1, *args)
    (done,) = handed_over(rounds.run.path)
    assert done.complete is complete
    assert bool(round_windows(rounds.run.events())) is complete


def test_a_cluster_that_does_not_become_steady_begins_no_round(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> Steady:
        raise ClusterError("the cluster did not become steady within 180 s: 2 nodes are not Ready")

    monkeypatch.setattr(owner, "wait_until_steady", never)
    rounds.lab.test(RECORDS)
    result = rounds.make(1)
    assert result.ret == 6
    result.stdout.fnmatch_lines(["error: the cluster did not become steady within 180 s: 2 nodes are not Ready"])
    assert handed_over(rounds.run.path) == []
    assert round_windows(rounds.run.events()) == {}


def test_a_repetition_of_a_fault_has_a_number_of_its_own_in_every_round(lab: Lab) -> None:
    (lab.path / "join3.py").write_text(JOIN.format(run=str(Path("unused")), number=3))
    lab.test("from idcbench.suites.failover.repeating import pytest_generate_tests\ndef test_it(repetition): pass\n")
    result = lab.spawn("--idc-target=fake", "--idc-repeat=2", "-p", "join3", "-v", "test_it.py")
    result.stdout.fnmatch_lines(["*test_it?5? PASSED*", "*test_it?6? PASSED*"])
