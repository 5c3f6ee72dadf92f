"""The plan of alternating runs: what differs, in which order rounds are made, and how long they take. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from ..errors import UsageError
from ..options import OPTIONS, Option

SIDES = ("a", "b")
SWITCHED = frozenset({"kube-scheduler", "idcbench"})
"""Values of ``scheduler`` between which one cluster can be switched."""
GUESS_S = {"failover": 130.0, "performance": 300.0, "functional": 150.0}
"""A round of each packaged suite on two cores, until the first pair was measured; 60 s for anything else."""
GUESS_OTHER_S = 60.0
BRING_UP_S, CHANGE_S, STEADY_S, SWITCH_S = 25.0, 20.0, 8.0, 3.0
"""A new cluster; stopping one and starting the other on its data; until it is steady; another scheduler in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ab:
    """``--ab KEY=a,b``: the option in which the two sides differ, and what each gives it, as text and parsed."""

    key: str
    texts: tuple[str, str]
    values: tuple[Any, Any]

    @property
    def dest(self) -> str:
        """The key as a field of :class:`~idcbench.options.Settings`."""
        return self.key.replace("-", "_")

    @property
    def in_place(self) -> bool:
        """Whether one cluster serves both sides, switched between rounds."""
        return self.key == "scheduler" and set(self.values) <= SWITCHED


def parse_ab(text: str) -> Ab:
    """``control-planes=1,3``. Raises :class:`UsageError` that says what is wanted."""
    key, equals, said = text.partition("=")
    key = key.strip().removeprefix("--").removeprefix("idc-")
    options = {option.name: option for option in OPTIONS if option.cluster}
    if not equals or key not in options:
        raise UsageError(f"--ab {text}: KEY=a,b is wanted, with KEY one of {', '.join(options)}")
    parts = [part.strip() for part in said.split(",")]
    if len(parts) != 2:
        raise UsageError(f"--ab {text}: two values are wanted, such as {key}=a,b; found {len(parts)}")
    values = _value(options[key], parts[0]), _value(options[key], parts[1])
    if values[0] == values[1]:
        raise UsageError(f"--ab {text}: two different values are wanted, both are {values[0]}")
    return Ab(key=key, texts=(str(values[0]), str(values[1])), values=values)


def _value(option: Option, text: str) -> Any:
    try:
        return option.parse(text)
    except ValueError as error:
        raise UsageError(f"--ab {option.name}: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One round of one side; ``number`` counts the pairs from 1, ``side`` is 0 or 1."""

    number: int
    side: int


def turns(rounds: int, *, seed: int) -> list[Turn]:
    """Every round of both sides, pair by pair; which side of a pair goes first is drawn by ``seed``."""
    draw = random.Random(seed)
    pairs = [(number, draw.randrange(2)) for number in range(1, rounds + 1)]
    return [Turn(number=number, side=side) for number, first in pairs for side in (first, 1 - first)]


def guess_s(ab: Ab, order: Sequence[Turn], *, suites: Sequence[str]) -> float:
    """How long it may take, from figures of another machine: the plan's first estimate.

    ``suites`` are the packaged suites of a round; an empty name stands for tests of the user's own.
    """
    round_s = STEADY_S + sum(GUESS_S.get(name, GUESS_OTHER_S) for name in suites)
    if ab.in_place:
        return BRING_UP_S + len(order) * (round_s + SWITCH_S)
    return 2 * (BRING_UP_S + CHANGE_S) + changes(order) * CHANGE_S + len(order) * round_s


def changes(order: Sequence[Turn]) -> int:
    """How often the other side comes next, so that one cluster stops and the other starts."""
    return sum(former.side != after.side for former, after in pairwise(order))


def left_s(pairs_s: Sequence[float], rounds: int) -> float:
    """How much longer it takes, by the median of the pairs measured so far (at least one)."""
    return median(pairs_s) * (rounds - len(pairs_s))
