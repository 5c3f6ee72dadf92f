"""``idcbench run --ab KEY=a,b``: alternate rounds of two sides, each a run of its own, and compare them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from ..errors import IdcError, UsageError
from ..options import Settings
from ..plugin.owner import RUNS, check_writable, facts_of, options_of
from ..plugin.starvation import starved
from ..runs.abplan import SIDES, Turn, left_s
from ..runs.directory import Run, create_run
from ..runs.handover import handed_over
from ..runs.schema import RunDocument, TestCounts, Validity
from .ab_plan import Plan, planned, said
from .display import Display
from .run import Rest
from .step import duration

if TYPE_CHECKING:
    from ..cluster import Cluster

MADE = (0, 1)
"""Exit codes of a session whose tests ran."""
FAILED, INTERRUPTED, INVALID = 1, 2, 7
END_LIMIT_S = 20.0
READY = "from the start of bringing a new cluster up until every member answers and leaders are elected"


class RoundError(IdcError):
    """A round could not be made; its session said why."""

    def __init__(self, text: str, *, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


@dataclass(slots=True)
class Alternation:
    """The two runs while they are made."""

    plan: Plan
    clusters: dict[int, Cluster] = field(default_factory=dict)
    runs: tuple[Run, Run] | None = None

    def prepare(self) -> None:
        """Make the clusters, then the run directories: what cannot be had leaves none."""
        first = self.plan.order[0].side
        for side in (1 - first, first):
            self.clusters[side] = self.plan.sides.turn_to(side)
        a, b = (self.clusters[side].facts for side in (0, 1))
        if self.plan.ab.key == "kubernetes" and a.kubernetes == b.kubernetes:
            raise UsageError(f"--ab kubernetes: both sides are {a.kubernetes}; two different versions are wanted")
        self.runs = self._create(0), self._create(1)

    def make_rounds(self) -> None:
        """All of them, in the order of the plan. Raises :class:`RoundError` for one that could not be made."""
        pairs_s: list[float] = []
        for first, second in zip(self.plan.order[::2], self.plan.order[1::2], strict=True):
            began_s = time.monotonic()
            self._make(first)
            self._make(second)
            pairs_s.append(time.monotonic() - began_s)
            more_s = left_s(pairs_s, self.plan.rounds)
            more = f"; about {duration(more_s)} more" if more_s else ""
            click.echo(f"\npair {len(pairs_s)} of {self.plan.rounds} took {duration(pairs_s[-1])}{more}")

    def finish(self, *, interrupted: bool, error: IdcError | None) -> list[RunDocument]:
        """Write both run.json. Raises :class:`~idcbench.errors.RunError`, after the other was tried too."""
        found, refused = [], None
        for side, run in enumerate(self.runs or ()):
            try:
                found.append(self._finish(side, run, interrupted=interrupted, error=error))
            except IdcError as this:
                refused = this
        if refused:
            raise refused
        return found

    @property
    def pairs(self) -> int:
        """How many rounds are complete on both sides."""
        done = [{one.number for one in handed_over(run.path) if one.complete} for run in self.runs or ()]
        return len(done[0] & done[1]) if done else 0

    def _create(self, side: int) -> Run:
        plan, cluster = self.plan, self.clusters[side]
        named = plan.asked.run_name if "run_name" in plan.asked.given else plan.ab.key
        name = f"{named}-{plan.ab.texts[side]}"
        run = create_run(RUNS, target_id=plan.target_id, name=name, facts=self._facts(side))
        if not plan.ab.in_place and cluster.facts.ready_s is not None:
            ready = run.series("cluster.ready", unit="s", better="lower", definition=READY)
            ready.add(cluster.facts.ready_s)
        return run

    def _facts(self, side: int) -> dict[str, Any]:
        plan = self.plan
        ab = {"id": f"{plan.seed:08x}", "key": plan.ab.key, "value": plan.ab.texts[side]}
        made = {"side": SIDES[side], "seed": plan.seed, "rounds": plan.rounds}
        return facts_of(self.clusters[side]) | {"ab": ab | made}

    def _make(self, turn: Turn) -> None:
        assert self.runs is not None
        plan, run = self.plan, self.runs[turn.side]
        click.echo(f"\nround {turn.number} of {plan.rounds}, {SIDES[turn.side]}: {plan.value(turn.side)}")
        plan.sides.turn_to(turn.side)
        code = session(run, turn.number, plan.arguments(turn.side))
        complete = any(one.number == turn.number and one.complete for one in handed_over(run.path))
        if not complete or code not in MADE:
            raise RoundError(
                f"round {turn.number} of {plan.value(turn.side)} was not made to its end (its session ended with "
                f"{code}, and said why above)",
                exit_code=code if code not in MADE else FAILED,
            )

    def _finish(self, side: int, run: Run, *, interrupted: bool, error: IdcError | None) -> RunDocument:
        checks = [check for one in handed_over(run.path) for check in one.checks]
        notes = (f"ended after {self.pairs} of {self.plan.rounds} pairs of rounds" + (f": {error}" if error else ""),)
        starving = tuple(starved(run))
        return run.finish(
            tests=TestCounts.of(checks),
            checks=checks,
            facts=self._facts(side),
            options={"target": self.plan.target_id} | options_of(self.plan.sides.settings[side]),
            validity=Validity(
                valid=not starving, reasons=starving, notes=notes if self.pairs < self.plan.rounds else ()
            ),
            interrupted=interrupted,
        )


def run_ab(text: str, rounds: int | None, asked: Settings, rest: Rest) -> int:
    """Make the runs and the comparison; gives the exit code."""
    display = Display(sys.stderr)
    plan = planned(text, rounds, asked, rest, display)
    plan.sides.check()
    check_writable(RUNS / plan.target_id)
    click.echo(said(plan))
    made, interrupted, error = Alternation(plan), False, None
    try:
        try:
            made.prepare()
            display("")
            made.make_rounds()
        except KeyboardInterrupt:
            interrupted = True
        except IdcError as refused:
            error = refused
        display("")
        documents = made.finish(interrupted=interrupted, error=error)
    finally:
        display("leaving the clusters" if asked.keep else "removing the clusters")
        plan.sides.end(keep=asked.keep)
        display("")
    _tell(made)
    if error is not None:
        click.echo(f"error: {error}", err=True)
    return _code(documents, interrupted=interrupted, error=error)


def session(run: Run, number: int, arguments: Sequence[str]) -> int:
    """Make one round in a process of its own; gives its exit code. A signal here ends it in good order first."""
    command = [sys.executable, "-m", "idcbench.cli.ab_round", str(run.path), str(number), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        return process.wait()
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tell(made: Alternation) -> None:
    """Both reports, and the comparison, the path of which is the last line."""
    from ..reports.comparing_html import write_comparison
    from ..reports.comparing_text import render_comparison_terminal
    from ..reports.write import write_report
    from ..runs.comparing import compare_runs

    if made.runs is None:
        click.echo("nothing was measured, and nothing is left")
        return
    for run in made.runs:
        click.echo(os.path.relpath(write_report(run.path)))
    if not made.pairs:
        click.echo("no pair of rounds is complete, so there is nothing to compare")
        return
    comparison = compare_runs(*made.runs)
    click.echo("\n" + render_comparison_terminal(comparison))
    click.echo(os.path.relpath(write_comparison(comparison, made.runs, made.runs[1].path / "comparison.html")))


def _code(documents: Sequence[RunDocument], *, interrupted: bool, error: IdcError | None) -> int:
    if interrupted:
        return INTERRUPTED
    if error is not None:
        return error.exit_code
    if any(document.tests.failed or document.tests.errors for document in documents):
        return FAILED
    return 0 if all(document.valid for document in documents) else INVALID
