"""The same series of two runs, cut into rounds that can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from ..errors import RunError
from ..measure.statistics import Values
from .comparison import Quantile
from .directory import Run
from .metrics import FoundSeries
from .rounds import Kind, in_parts, in_windows, one_by_one, round_windows
from .schema import RunDocument
from .series import SeriesHeader

QUANTILES: dict[Quantile, float] = {"p50": 0.50, "p99": 0.99}
Windows = dict[int, tuple[int, int]]


class AbSide(msgspec.Struct, frozen=True, kw_only=True):
    """``facts.ab`` of a run that was made beside another: ``id`` is that of both, ``key`` what they differ in."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    key: Annotated[str, msgspec.Meta(min_length=1)]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """The same series of both runs, in rounds."""

    header: SeriesHeader
    kind: Kind
    rounds: tuple[list[Values], list[Values]]
    paired: bool

    @property
    def samples(self) -> tuple[int, int]:
        a, b = (sum(map(len, side)) for side in self.rounds)
        return a, b

    @property
    def quantiles(self) -> tuple[Quantile, ...]:
        """One value where no round has more, else every quantile."""
        single = all(len(values) == 1 for side in self.rounds for values in side)
        return ("value",) if single else tuple(QUANTILES)


def windows_of(run: Run, document: RunDocument) -> Windows:
    """When its rounds were. Raises :class:`RunError` when they cannot be told apart."""
    try:
        return round_windows(run.events())
    except ValueError as error:
        raise RunError(f"{document.id}: {error}; its rounds cannot be told apart") from None


def alike(a: SeriesHeader, b: SeriesHeader) -> bool:
    """Whether values of one may be set beside those of the other."""
    return (a.unit, a.better) == (b.unit, b.better)


def pair_up(a: FoundSeries, b: FoundSeries, windows: tuple[Windows, Windows], *, interleaved: bool) -> Pair:
    """The rounds of both: pairs of them where the runs alternated, repetitions, or parts where there is neither."""
    header = a[0]
    if header.repetition and not interleaved:
        return Pair(header=header, kind="repetitions", rounds=(one_by_one(a[1]), one_by_one(b[1])), paired=False)
    if header.clock != "monotonic" or not all(windows):
        return Pair(header=header, kind="parts", rounds=(in_parts(a[1]), in_parts(b[1])), paired=False)
    left, right = in_windows(a[1], windows[0]), in_windows(b[1], windows[1])
    if not left and not right:  # measured before or after all rounds, such as how long the cluster took
        return Pair(header=header, kind="parts", rounds=(in_parts(a[1]), in_parts(b[1])), paired=False)
    if interleaved:
        left, right = ({number: side[number] for number in left if number in right} for side in (left, right))
    return Pair(header=header, kind="rounds", rounds=(list(left.values()), list(right.values())), paired=interleaved)


def rounds_of(found: FoundSeries, windows: Windows) -> list[Values]:
    """One run's series in the rounds by which it is judged beside another."""
    header, samples = found
    if header.repetition:
        return one_by_one(samples)
    inside = list(in_windows(samples, windows).values()) if header.clock == "monotonic" else []
    return inside or in_parts(samples)


def made_to_differ(a: RunDocument, b: RunDocument) -> tuple[str, tuple[str, str]]:
    """The setting in which two runs of one ``--ab`` differ, and its values; empty for any other two."""
    sides = []
    for document in (a, b):
        try:
            sides.append(msgspec.convert(document.facts.get("ab"), type=AbSide))
        except msgspec.ValidationError:
            return "", ("", "")
    if sides[0].id != sides[1].id or a.id == b.id:
        return "", ("", "")
    return sides[0].key, (sides[0].value, sides[1].value)
