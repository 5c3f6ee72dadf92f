"""``idcbench run --ab``: what is refused, what is planned, and what is there however it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from idcbench.cli import ab as command
from idcbench.cli import ab_plan
from idcbench.cli.options import read_settings
from idcbench.cli.run import read_rest
from idcbench.errors import ClusterError, IdcError, UsageError
from idcbench.options import Settings
from idcbench.runs.abplan import Ab
from idcbench.runs.directory import Run, open_run
from idcbench.runs.handover import Round, hand_over
from idcbench.runs.schema import Check

if TYPE_CHECKING:
    from conftest import Shell

TINY = """
def test_tiny(idc_client, idc_record):
    idc_record("tiny.namespaces", len(idc_client.list("Namespace")), unit="1")
"""


BUSY = """
import idcbench.measure.steady
idcbench.measure.steady.BUSY_MOST = 2.0  # other tests may run beside this one, and nothing is measured
"""


class FakeCluster:
    def __init__(self, kubernetes: str) -> None:
        from idcbench.cluster import ClusterFacts

        self.facts = ClusterFacts(
            target="embedded", name="x", kubernetes=kubernetes, etcd="3", profile="fast", shape="full",
            control_planes=1, nodes=2, ready_s=3.0,
        )  # fmt: skip
        self.hosts: tuple[Any, ...] = ()
        self.capabilities: frozenset[str] = frozenset()


class FakeSides:
    """Clusters that are nothing but a log of what was asked of them."""

    described = "fake clusters"

    def __init__(self, ab: Ab, asked: Settings, log: list[str]) -> None:
        self.settings = asked, asked
        self.log = log
        self.versions = ab.texts if ab.key == "kubernetes" else ("1.37.2", "1.37.2")

    def check(self) -> None:
        self.log.append("check")

    def turn_to(self, side: int) -> FakeCluster:
        self.log.append(f"turn {side}")
        return FakeCluster(self.versions[side])

    def end(self, *, keep: bool) -> None:
        self.log.append("keep" if keep else "end")


Session = Callable[[Run, int, Sequence[str]], int]


class Desk:
    """A directory, in which the command runs on fake clusters with sessions that are told what to do."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.log: list[str] = []
        self.session: Session = self.made
        self.arguments: list[Sequence[str]] = []
        monkeypatch.chdir(path)
        monkeypatch.setattr(ab_plan, "sides_of", lambda ab, asked, progress: FakeSides(ab, asked, self.log))  # noqa: ARG005
        monkeypatch.setattr(command, "session", lambda *args: self.session(*args))

    def made(self, run: Run, number: int, arguments: Sequence[str]) -> int:
        """A session whose round is complete, with three samples in it."""
        self.arguments.append(arguments)
        self.log.append(f"round {number}")
        run.happened("round-began", number=number)
        run.series("x.y", unit="ms", better="lower").add_many([1.0, 2.0, 3.0])
        run.happened("round-ended", number=number)
        hand_over(Round(run=run.path, number=number), [Check(nodeid="t", outcome="passed")], complete=True)
        return 0

    def run(self, text: str = "nodes=2,3", rounds: int = 2, *words: str, **values: Any) -> int:
        values = {"target": "embedded", **values}
        return command.run_ab(text, rounds, read_settings(values), read_rest(words, folder=self.path))

    def runs(self) -> list[Run]:
        return [open_run(path.parent) for path in sorted(self.path.glob(".idcbench/embedded-ab/[0-9]*/run.json"))]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_each_side_is_one_run_with_its_rounds_and_the_comparison_is_the_last_line(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.run() == 0
    a, b = (run.document() for run in desk.runs())
    assert (a.name, b.name) == ("nodes-2", "nodes-3")
    assert [check.round for check in a.checks] == [1, 2]
    assert (a.facts["ab"]["id"], a.facts["ab"]["value"], b.facts["ab"]["value"]) == (b.facts["ab"]["id"], "2", "3")
    assert a.valid
    assert b.valid
    said = capsys.readouterr().out
    assert "nodes=2 (a) against nodes=3 (b), 2 rounds of each" in said
    assert "pair 1 of 2 took" in said
    last = said.splitlines()[-1]
    assert last == ".idcbench/embedded-ab/0002_nodes-3/comparison.html"
    assert "taken in turns, so that what drifts hits all alike" in (desk.path / last).read_text()
    assert desk.log[0] == "check"
    assert desk.log[-1] == "end"
    assert desk.log.count("round 1") == desk.log.count("round 2") == 2


def test_a_round_runs_the_faults_once_and_what_there_is_to_measure_without_any(desk: Desk) -> None:
    desk.run()
    given = desk.arguments[0]
    assert "--idc-repeat=1" in given
    assert [word for word in given if word.startswith("--idc-suite")] == [
        "--idc-suite=failover",
        "--idc-suite=performance",
    ]
    assert f"--deselect={ab_plan.PROOF}" in given


def test_tests_that_are_named_run_instead(desk: Desk) -> None:
    (desk.path / "test_mine.py").write_text("")
    desk.run("nodes=2,3", 1, "test_mine.py", repeat="4")
    given = desk.arguments[0]
    assert "test_mine.py" in given
    assert "--idc-repeat=4" in given
    assert not any(word.startswith(("--idc-suite", "--deselect")) for word in given)


def test_an_interrupt_between_rounds_leaves_what_there_is_as_a_result(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(run: Run, number: int, arguments: Sequence[str]) -> int:
        if desk.log.count("round 1") == 2:
            raise KeyboardInterrupt
        return desk.made(run, number, arguments)

    desk.session = interrupted
    assert desk.run() == 2
    for run in desk.runs():
        document = run.document()
        assert (document.interrupted, document.valid) == (True, True)
        assert document.notes == ("ended after 1 of 2 pairs of rounds",)
    assert capsys.readouterr().out.splitlines()[-1].endswith("comparison.html")
    assert desk.log[-1] == "end"


def test_before_the_clusters_are_there_an_interrupt_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> FakeCluster:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeSides, "turn_to", interrupted)
    assert desk.run() == 2
    assert not (desk.path / ".idcbench").exists()
    assert desk.log == ["check", "end"]


@pytest.mark.parametrize(("code", "expected"), [(6, 6), (5, 5), (3, 3), (0, 1)])
def test_a_round_that_cannot_be_made_ends_it_with_its_reason(
    desk: Desk, capsys: pytest.CaptureFixture[str], code: int, expected: int
) -> None:
    desk.session = lambda *_: code
    assert desk.run() == expected
    said = capsys.readouterr()
    assert f"was not made to its end (its session ended with {code}" in said.err
    assert "no pair of rounds is complete, so there is nothing to compare" in said.out
    assert all("ended after 0 of 2 pairs of rounds: round 1 of" in run.document().notes[0] for run in desk.runs())
    assert desk.log[-1] == "end"


def test_a_failed_check_does_not_end_it_and_is_told_by_the_exit_code(desk: Desk) -> None:
    def failing(run: Run, number: int, arguments: Sequence[str]) -> int:
        desk.made(run, number, arguments)
        hand_over(Round(run=run.path, number=number), [Check(nodeid="u", outcome="failed")], complete=True)
        return 1

    desk.session = failing
    assert desk.run() == 1
    assert desk.log.count("round 2") == 2


def test_a_run_that_is_cut_off_still_tells_which_comparison_it_belongs_to(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "finish", lambda *_, **__: pytest.fail("not reached"))

    def dies(*_: Any) -> int:
        for run in desk.runs():
            written = json.loads((run.path / "run.json").read_text())
            assert written["ended"] is None
            assert written["facts"]["ab"]["key"] == "nodes"
        raise SystemExit

    desk.session = dies
    with pytest.raises(SystemExit):
        desk.run()


def test_one_run_that_cannot_be_written_does_not_cost_the_other(desk: Desk) -> None:
    def fills(run: Run, number: int, arguments: Sequence[str]) -> int:
        code = desk.made(run, number, arguments)
        if "nodes-2" in run.path.name:
            (run.path / "run.json").unlink(missing_ok=True)
        return code

    desk.session = fills
    with pytest.raises(IdcError, match="nodes-2"):
        desk.run()
    (b,) = desk.runs()
    assert b.document().ended
    assert desk.log[-1] == "end"


def test_the_same_version_under_two_names_is_refused_before_anything_is_measured(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeSides, "turn_to", lambda *_: FakeCluster("1.37.2"))
    assert desk.run("kubernetes=1.37,1.37.2") == 4
    assert "both sides are 1.37.2" in capsys.readouterr().err
    assert desk.runs() == []


def test_a_version_that_cannot_be_had_is_told_with_its_side(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: Any) -> FakeCluster:
        raise ClusterError("kubernetes=1.34: kube-apiserver 1.34 is not to be had")

    monkeypatch.setattr(FakeSides, "turn_to", missing)
    assert desk.run("kubernetes=1.34,1.37") == 6
    assert "error: kubernetes=1.34: kube-apiserver 1.34 is not to be had" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "values", "told"),
    [
        ((), {"target": "kubeconfig"}, "target kubeconfig is none of idcbench's"),
        ((), {"target": "lab.yaml"}, "target lab.yaml is none of idcbench's"),
        ((), {"nodes": "7"}, "--nodes is what --ab varies; leave it out"),
        (("-n", "2"), {}, "leave -n out"),
    ],
)
def test_what_does_not_go_together_is_refused(
    desk: Desk, words: tuple[str, ...], values: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        desk.run("nodes=2,3", 1, *words, **values)
    assert desk.log == []


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--rounds", "3"), "--rounds counts those of --ab KEY=a,b"),
        (("--ab", "nodes=2,3", "--rounds", "0"), "0 is not in the range x>=1"),
        (("--ab", "nodes=2"), "two values are wanted, such as nodes=a,b; found 1"),
        (("kubeconfig", "--ab", "nodes=2,3"), "is none of idcbench's"),
    ],
)
def test_bad_input_costs_a_line(shell: Shell, args: tuple[str, ...], told: str) -> None:
    result = shell.idcbench("run", *args)
    assert result.returncode == 4
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.integration
def test_two_clusters_alternate_and_nothing_is_left(shell: Shell) -> None:
    (shell.path / "test_tiny.py").write_text(TINY)
    (shell.path / "conftest.py").write_text(BUSY)
    result = subprocess.run(
        [sys.executable, "-m", "idcbench.cli.main", "run", "--ab", "nodes=1,2", "--rounds", "1",
         "--control-planes", "1", "test_tiny.py"],
        cwd=shell.path, env=_with_state(shell.path), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    found = sorted(shell.path.glob(".idcbench/embedded-ab/[0-9]*/run.json"))
    a, b = (open_run(path.parent).document() for path in found)
    assert (a.facts["cluster"]["nodes"], b.facts["cluster"]["nodes"]) == (1, 2)
    assert {metric.name: metric.n for metric in b.metrics}["tiny.namespaces"] == 1
    assert result.stdout.splitlines()[-1].endswith("comparison.html")
    assert not [path for path in (shell.path / "state/idcbench").iterdir() if path.is_dir()]


def _with_state(path: Path) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(path / "state")}
