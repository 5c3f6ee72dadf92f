"""Two runs set side by side: every metric that both have, each with a verdict."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated

import msgspec

from ..errors import RunError, UsageError
from ..measure.effect import Effect, NoEffectError, paired_effect, unpaired_effect
from ..measure.statistics import Values
from .causes import causes_said
from .cautions import PARTS, of_the_metrics, of_the_runs
from .comparison import Changed, Comparison, Difference, Quantile, Side
from .directory import Run
from .judging import judge
from .metrics import FoundSeries, comparable_series_of
from .rounds import Kind, in_parts, in_windows, one_by_one, round_windows
from .schema import RunDocument
from .series import SeriesHeader
from .settings import unasked

MINIMUM_EFFECT = 0.05
HEADLINES_MOST = 10
QUANTILES: dict[Quantile, float] = {"p50": 0.50, "p99": 0.99}


class AbSide(msgspec.Struct, frozen=True, kw_only=True):
    """``facts.ab`` of a run that was made beside another: ``id`` is that of both, ``key`` what they differ in."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    key: Annotated[str, msgspec.Meta(min_length=1)]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pair:
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


_Asked = tuple[_Pair, Quantile, Effect | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRuns:
    """Two runs with the effect of each metric: what does not hang on the minimum effect. Made by :func:`measure_runs`.

    ``families`` are the headlines, and all others: each metric and quantile with its effect, or why there is none.
    """

    sides: tuple[Side, Side]
    key: str
    warnings: tuple[str, ...]
    changed: tuple[Changed, ...]
    families: tuple[list[_Asked], list[_Asked]]


def compare_runs(
    a: Run, b: Run, *, minimum_effect: float = MINIMUM_EFFECT, headlines: Sequence[str] = ()
) -> Comparison:  # fmt: skip
    """B against A; see :func:`measure_runs` and :func:`judge_runs`."""
    return judge_runs(measure_runs(a, b, headlines=headlines), minimum_effect=minimum_effect)


def measure_runs(a: Run, b: Run, *, headlines: Sequence[str] = ()) -> MeasuredRuns:
    """The effects of B against A. ``headlines`` names metrics that stand for those that the runs themselves name.

    Raises :class:`RunError` when the runs have no metric in common, :class:`UsageError` for a headline that is none.
    """
    documents = a.document(), b.document()
    series = comparable_series_of(a.path), comparable_series_of(b.path)
    common = [key for key in sorted(series[0]) if key in series[1]]
    alike = [key for key in common if _alike(series[0][key][0], series[1][key][0])]
    if not alike:
        raise RunError(f"{documents[0].id} and {documents[1].id} have no metric in common; compare runs of one suite")
    key, values = _made_to_differ(*documents)
    windows = _windows(a, documents[0]), _windows(b, documents[1])
    pairs = [_pair(series[0][one], series[1][one], windows, interleaved=bool(key)) for one in alike]
    chosen = _headlines(pairs, headlines)
    others = [pair for pair in pairs if pair not in chosen]
    only = [name for name, _ in series[0].keys() - series[1]], [name for name, _ in series[1].keys() - series[0]]
    return MeasuredRuns(
        sides=(_side(a, documents[0], values[0]), _side(b, documents[1], values[1])),
        key=key,
        warnings=(
            *of_the_runs((a, b), documents, interleaved=bool(key)),
            *([PARTS] if any(pair.kind == "parts" for pair in pairs) and not all(windows) else []),
            *of_the_metrics(documents, only, [name for name, labels in common if (name, labels) not in set(alike)]),
        ),
        changed=unasked(*documents, asked=key),
        families=(_effects(chosen), _effects(others)),
    )


def judge_runs(measured: MeasuredRuns, *, minimum_effect: float = MINIMUM_EFFECT) -> Comparison:
    """The verdicts, each family corrected as one."""
    headlines, others = measured.families
    return Comparison(
        a=measured.sides[0],
        b=measured.sides[1],
        key=measured.key,
        interleaved=bool(measured.key),
        minimum_effect=minimum_effect,
        warnings=measured.warnings,
        changed=measured.changed,
        differences=(
            *_differences(headlines, minimum_effect, headlines=True),
            *_differences(others, minimum_effect, headlines=False),
        ),
    )


def _windows(run: Run, document: RunDocument) -> dict[int, tuple[int, int]]:
    try:
        return round_windows(run.events())
    except ValueError as error:
        raise RunError(f"{document.id}: {error}; its rounds cannot be told apart") from None


def _alike(a: SeriesHeader, b: SeriesHeader) -> bool:
    return (a.unit, a.better) == (b.unit, b.better)


def _pair(
    a: FoundSeries, b: FoundSeries, windows: tuple[dict[int, tuple[int, int]], ...], *, interleaved: bool
) -> _Pair:
    header = a[0]
    if header.repetition and not interleaved:
        return _Pair(header=header, kind="repetitions", rounds=(one_by_one(a[1]), one_by_one(b[1])), paired=False)
    if header.clock != "monotonic" or not all(windows):
        return _Pair(header=header, kind="parts", rounds=(in_parts(a[1]), in_parts(b[1])), paired=False)
    left, right = in_windows(a[1], windows[0]), in_windows(b[1], windows[1])
    if not left and not right:  # measured before or after all rounds, such as how long the cluster took
        return _Pair(header=header, kind="parts", rounds=(in_parts(a[1]), in_parts(b[1])), paired=False)
    if interleaved:
        left, right = ({number: side[number] for number in left if number in right} for side in (left, right))
    return _Pair(header=header, kind="rounds", rounds=(list(left.values()), list(right.values())), paired=interleaved)


def _headlines(pairs: Sequence[_Pair], named: Sequence[str]) -> list[_Pair]:
    """At most ten comparisons that were named before; in the order of names what is too much is not among them."""
    if unknown := sorted(set(named) - {pair.header.name for pair in pairs}):
        there = ", ".join(sorted({pair.header.name for pair in pairs}))
        raise UsageError(f"--headline {unknown[0]}: not a metric of both runs; they have {there}")
    wanted = [pair for pair in pairs if (pair.header.name in named if named else pair.header.headline)]
    counts = list(accumulate(len(pair.quantiles) for pair in wanted))
    if named and counts[-1] > HEADLINES_MOST:
        raise UsageError(f"--headline: {counts[-1]} comparisons; at most {HEADLINES_MOST} can be decided on")
    return wanted[: bisect_right(counts, HEADLINES_MOST)]


def _effects(pairs: Sequence[_Pair]) -> list[_Asked]:
    return [(pair, quantile, _effect(pair, quantile)) for pair in pairs for quantile in pair.quantiles]


def _differences(asked: Sequence[_Asked], minimum_effect: float, *, headlines: bool) -> Iterator[Difference]:
    known = [(effect, pair.header.better) for pair, _, effect in asked if isinstance(effect, Effect)]
    judged = iter(judge(known, minimum_effect=minimum_effect, headlines=headlines))
    for pair, quantile, effect in asked:
        bare = Difference(
            name=pair.header.name,
            labels=pair.header.labels,
            unit=pair.header.unit,
            better=pair.header.better,
            definition=pair.header.definition,
            quantile=quantile,
            headline=headlines,
            kind=pair.kind,
            rounds=(len(pair.rounds[0]), len(pair.rounds[1])),
            samples=pair.samples,
            word="insufficient",
        )
        if not isinstance(effect, Effect):
            yield msgspec.structs.replace(bare, why=effect)
            continue
        verdict = next(judged)
        yield msgspec.structs.replace(
            bare, a=effect.a, b=effect.b, scale=effect.scale, value=effect.value, low=effect.low, high=effect.high,
            p=effect.p, p_corrected=verdict.p, word=verdict.word, more_rounds=verdict.more_rounds,
        )  # fmt: skip


def _effect(pair: _Pair, quantile: Quantile) -> Effect | str:
    """Or why there is none."""
    q = QUANTILES.get(quantile, 0.5)
    if not pair.header.signed and any((values < 0).any() for side in pair.rounds for values in side):
        return "has negative values, as a clock that is set back makes them"
    try:
        return (paired_effect if pair.paired else unpaired_effect)(*pair.rounds, q=q)
    except NoEffectError as error:
        return str(error)


def _made_to_differ(a: RunDocument, b: RunDocument) -> tuple[str, tuple[str, str]]:
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


def _side(run: Run, document: RunDocument, value: str) -> Side:
    return Side(
        id=document.id, path=str(run.path), started=document.started, value=value,
        invalid_because=() if document.valid else document.invalid_because, remarks=causes_said(run.events()),
    )  # fmt: skip
