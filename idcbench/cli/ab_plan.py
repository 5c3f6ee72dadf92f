"""What ``idcbench run --ab`` is going to do, from its command line, and how that is said."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import UsageError
from ..options import Settings
from ..plugin.packaged import suite_names
from ..progress import Progress
from ..runs.abplan import Ab, Turn, guess_s, parse_ab, turns
from .ab_sides import DEFAULT_NAME, Sides, sides_of
from .run import XDIST, Rest, pytest_arguments
from .step import duration

ROUNDS = 10
SUITES = ("failover", "performance")
"""What a round runs unless told: what happens in faults, and what it costs when there is none."""
PROOF = "idcbench/suites/failover/test_probe_proof.py"
"""Proves the instrument, which does not change from round to round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is to be done."""

    ab: Ab
    rounds: int
    seed: int
    asked: Settings
    rest: Rest
    sides: Sides
    order: list[Turn]

    @property
    def target_id(self) -> str:
        """Under which both runs are kept."""
        return f"embedded-{self.asked.name or DEFAULT_NAME}"

    def value(self, side: int) -> str:
        return f"{self.ab.key}={self.ab.texts[side]}"

    def arguments(self, side: int) -> list[str]:
        """pytest's, for a round of a side."""
        settings = self.sides.settings[side]
        return [*pytest_arguments(settings, self.rest, folder=Path.cwd()), "--quiet", "--no-header"]


def planned(text: str, rounds: int | None, asked: Settings, rest: Rest, progress: Progress) -> Plan:
    """Everything checked that can be before something is started. Raises :class:`UsageError`."""
    ab = parse_ab(text)
    if asked.target != "embedded":
        raise UsageError(
            f"--ab makes, stops and switches clusters of its own, and target {asked.target} is none of idcbench's; "
            "leave the target out, or make two runs and set them side by side: idcbench compare A B"
        )
    if ab.dest in asked.given:
        raise UsageError(f"--{ab.key} is what --ab varies; leave it out, or vary something else")
    if any(word.startswith(XDIST) for word in rest.words):
        raise UsageError("--ab makes its measurements one at a time; leave -n out")
    asked = replace(asked, repeat=asked.repeat if "repeat" in asked.given else 1, given=asked.given | {"repeat"})
    if not (asked.suite or rest.paths or rest.packaged):
        chosen = tuple(name for name in SUITES if name in suite_names())
        asked = replace(asked, suite=chosen, given=asked.given | {"suite"})
    if asked.suite:
        rest = replace(rest, words=(*rest.words, f"--deselect={PROOF}"))
    seed, count = secrets.randbits(32), rounds or ROUNDS
    sides = sides_of(ab, asked, progress=progress)
    return Plan(
        ab=ab, rounds=count, seed=seed, asked=asked, rest=rest, sides=sides, order=turns(count, seed=seed)
    )  # fmt: skip


def said(plan: Plan) -> str:
    """The plan for who is about to wait for it."""
    from ..measure.steady import CONDITION, LIMIT_S

    tests = [f"suite {name}" for name in plan.asked.suite] + [str(path) for path in plan.rest.paths]
    tests += plan.rest.packaged
    own = [""] * bool(plan.rest.paths or plan.rest.packaged)
    about = duration(guess_s(plan.ab, plan.order, suites=[*plan.asked.suite, *own]))
    return "\n".join(
        [
            f"{plan.value(0)} (a) against {plan.value(1)} (b), {_count(plan.rounds, 'round')} of each, in pairs; "
            f"which of a pair comes first is drawn (seed {plan.seed})",
            f"  a round      {', '.join(tests)}; each fault {_count(plan.asked.repeat, 'time')}",
            f"  clusters     {plan.sides.described}; {'left there' if plan.asked.keep else 'removed'} at the end",
            f"  begins when  {CONDITION}; within {LIMIT_S:g} s",
            f"  takes        about {about}, which is a guess until the first pair is measured",
            "  Ctrl-C       ends it at any time: pairs measured by then are kept and compared, the clusters go",
        ]
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
