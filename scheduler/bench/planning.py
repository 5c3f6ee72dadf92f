"""What a call measures, in which order, and how long that will take. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from idcbench.errors import UsageError

from .rows import ROWS, Row

SHARES = (0.5, 0.8)
"""Of the highest arrival rate that the lean client sustains."""
ARRIVAL_S = 30.0

# For the forecast alone, from runs on 2 cores: requests and pods per second, seconds for a start from a copy.
CREATED_PER_S = {"real": 650.0, "memory": 8000.0}
DRAINED_PER_S = {"real": 250.0, "memory": 450.0}
SLOW_ROWS = {"pod-affinity": 8.0, "pod-anti-affinity": 4.0, "preferred-pod-affinity": 4.0,
             "preferred-pod-anti-affinity": 4.0, "mixed": 2.0, "preemption": 2.0}  # fmt: skip
AROUND_S = {"real": 12.0, "memory": 6.0}
CEILING_PER_S = {"real": 600.0, "memory": 5000.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for. ``rounds`` overrides that of every row; ``arrivals`` adds the rows' fixed-rate mode."""

    rows: tuple[str, ...]
    schedulers: tuple[str, ...]
    arenas: tuple[str, ...]
    scale: float = 1.0
    rounds: int | None = None
    arrivals: bool = False
    arrival_s: float = ARRIVAL_S
    seed: int = 0

    def __post_init__(self) -> None:
        if unknown := [name for name in self.rows if name not in ROWS]:
            raise UsageError(f"--row {unknown[0]}: there is no such row; there are {', '.join(ROWS)}")
        if self.rounds is not None and self.rounds < 1:
            raise UsageError(f"--rounds {self.rounds}: at least 1 is wanted")
        if not 1 <= self.arrival_s <= 3600:
            raise UsageError(f"--arrival-seconds {self.arrival_s:g}: 1 to 3600 are wanted")

    def scaled_rows(self) -> list[Row]:
        """The rows at their size. Raises :class:`UsageError` for a scale that cannot be meant."""
        try:
            return [ROWS[name].scaled(self.scale) for name in self.rows]
        except ValueError as error:
            raise UsageError(f"--scale: {error}") from None

    def rounds_of(self, row: Row) -> int:
        return self.rounds or row.rounds

    def order(self, row: Row, arena: str, *, beside: tuple[str, ...] = ()) -> Iterator[tuple[int, str]]:
        """Every pair's number with its schedulers, and what is measured ``beside`` them, in random order.

        The order is the same for the same seed.
        """
        chance = random.Random(f"{self.seed}/{arena}/{row.name}")
        for pair in range(1, self.rounds_of(row) + 1):
            names = (*self.schedulers, *beside)
            for name in chance.sample(names, len(names)):
                yield pair, name


def forecast_s(wanted: Wanted) -> float:
    """About how many seconds all of it takes."""
    return sum(row_forecast_s(wanted, row, arena) for row in wanted.scaled_rows() for arena in wanted.arenas)


def row_forecast_s(wanted: Wanted, row: Row, arena: str) -> float:
    """Creation once, the ceilings, every round of every scheduler, and the arrivals."""
    pods = row.workload().pods
    create_s = (row.nodes + row.init + pods) / CREATED_PER_S[arena] + AROUND_S[arena]
    ceilings_s = 1.5 * pods / CEILING_PER_S[arena] + AROUND_S[arena]
    round_s = pods / DRAINED_PER_S[arena] * SLOW_ROWS.get(row.name, 1.0) + AROUND_S[arena]
    arrival_s = 0.0
    if wanted.arrivals:
        arrival_s = 2 * AROUND_S[arena] + len(SHARES) * (wanted.arrival_s + AROUND_S[arena])
    each = round_s + arrival_s
    beside_s = pods / CEILING_PER_S[arena] + AROUND_S[arena]
    return create_s + ceilings_s + wanted.rounds_of(row) * (len(wanted.schedulers) * each + beside_s)


def in_words(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def names(schedulers: Sequence[str]) -> tuple[str, ...]:
    """The names as given. Raises :class:`UsageError` when two are the same."""
    if len(set(schedulers)) != len(schedulers):
        raise UsageError(f"--scheduler: two have the same name: {', '.join(schedulers)}")
    return tuple(schedulers)
