"""Runs set side by side: every metric that the first and another have, each with a verdict."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import msgspec

from ..errors import RunError, UsageError
from ..measure.effect import Effect, NoEffectError, paired_effect, unpaired_effect
from .causes import causes_said
from .cautions import PARTS, of_the_metrics, of_the_runs
from .comparison import LETTERS, Changed, Comparison, Difference, Quantile, Side
from .directory import Run
from .judging import judge
from .metrics import FoundSeries, SeriesKey, comparable_series_of
from .pairing import QUANTILES, Pair, Windows, alike, made_to_differ, pair_up, windows_of
from .schema import RunDocument
from .settings import cluster_line, load_line, unasked

MINIMUM_EFFECT = 0.05
HEADLINES_MOST = 10
"""Comparisons of one run with the first that may be decided on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Read:
    """One run with all that is compared of it."""

    run: Run
    document: RunDocument
    series: dict[SeriesKey, FoundSeries]
    windows: Windows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Against:
    """What the first run and another have in common; ``key`` and ``values`` of what was to differ, if anything."""

    letter: str
    other: _Read
    key: str
    values: tuple[str, str]
    pairs: dict[SeriesKey, Pair]
    warnings: tuple[str, ...]


_Asked = tuple[str, Pair, Quantile, Effect | str]
"""The letter of the side, what it is asked of, and the effect or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRuns:
    """Runs with the effect of each metric: what does not hang on the minimum effect. Made by :func:`measure_runs`.

    ``families`` are the headlines, and all others: of each metric, quantile and side the effect, or why there is none.
    """

    sides: tuple[Side, ...]
    key: str
    warnings: tuple[str, ...]
    changed: tuple[Changed, ...]
    families: tuple[list[_Asked], list[_Asked]]


def compare_runs(
    a: Run, b: Run, *others: Run, minimum_effect: float = MINIMUM_EFFECT, headlines: Sequence[str] = ()
) -> Comparison:  # fmt: skip
    """B and each of ``others`` against A; see :func:`measure_runs` and :func:`judge_runs`."""
    return judge_runs(measure_runs(a, b, *others, headlines=headlines), minimum_effect=minimum_effect)


def measure_runs(a: Run, b: Run, *others: Run, headlines: Sequence[str] = ()) -> MeasuredRuns:
    """The effects of B, and of each of ``others``, against A.

    ``headlines`` names metrics that stand for those that the runs themselves name. Raises :class:`RunError` when a run
    has no metric in common with A, :class:`UsageError` for a headline that is none and for too many runs.
    """
    runs = (a, b, *others)
    if len(runs) > len(LETTERS):
        raise UsageError(f"{len(runs)} runs: at most {len(LETTERS)} can be told apart side by side; leave some out")
    reads = [_read(run) for run in runs]
    first = reads[0]
    against = [_against(first, other, letter) for other, letter in zip(reads[1:], LETTERS[1:], strict=False)]
    keys = {one.key for one in against}
    key = keys.pop() if len(keys) == 1 else ""
    chosen = _headlines(against, headlines)
    everything = list(dict.fromkeys(sorted(chain.from_iterable(one.pairs for one in against))))
    told = [warning for one in against for warning in one.warnings]
    told += _beyond(against, chosen) if not headlines else []
    rounds = all(read.windows for read in reads)
    if not rounds and any(pair.kind == "parts" for one in against for pair in one.pairs.values()):
        told.append(PARTS)
    values = [against[0].values[0], *(one.values[1] for one in against)] if key else [""] * len(reads)
    return MeasuredRuns(
        sides=tuple(_side(one, value) for one, value in zip(reads, values, strict=True)),
        key=key,
        warnings=tuple(dict.fromkeys(told)),
        changed=unasked(*(one.document for one in reads), asked=key),
        families=(
            _effects(against, chosen),
            _effects(against, [one for one in everything if one not in chosen]),
        ),
    )


def judge_runs(measured: MeasuredRuns, *, minimum_effect: float = MINIMUM_EFFECT) -> Comparison:
    """The verdicts, each family corrected as one, over all sides together."""
    headlines, others = measured.families
    return Comparison(
        a=measured.sides[0],
        b=measured.sides[1],
        others=measured.sides[2:],
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


def _read(run: Run) -> _Read:
    document = run.document()
    return _Read(run=run, document=document, series=comparable_series_of(run.path), windows=windows_of(run, document))


def _against(first: _Read, other: _Read, letter: str) -> _Against:
    documents = first.document, other.document
    common = [key for key in sorted(first.series) if key in other.series]
    same = [key for key in common if alike(first.series[key][0], other.series[key][0])]
    if not same:
        raise RunError(f"{documents[0].id} and {documents[1].id} have no metric in common; compare runs of one suite")
    key, values = made_to_differ(*documents)
    windows = first.windows, other.windows
    only = (
        [name for name, _ in first.series.keys() - other.series],
        [name for name, _ in other.series.keys() - first.series],
    )
    return _Against(
        letter=letter,
        other=other,
        key=key,
        values=values,
        pairs={one: pair_up(first.series[one], other.series[one], windows, interleaved=bool(key)) for one in same},
        warnings=(
            *of_the_runs((first.run, other.run), documents, interleaved=bool(key)),
            *of_the_metrics(documents, only, [name for name, labels in common if (name, labels) not in set(same)]),
        ),
    )


def _headlines(against: Sequence[_Against], named: Sequence[str]) -> list[SeriesKey]:
    """At most ten comparisons that were named before; in the order of names what is too much is not among them."""
    found: dict[SeriesKey, Pair] = {}
    for one in against:
        found = one.pairs | found
    if unknown := sorted(set(named) - {name for name, _ in found}):
        there = ", ".join(sorted({name for name, _ in found}))
        raise UsageError(f"--headline {unknown[0]}: not a metric of both runs; they have {there}")
    wanted = [key for key in sorted(found) if (key[0] in named if named else found[key].header.headline)]
    counts = list(accumulate(len(found[key].quantiles) for key in wanted))
    if named and counts[-1] > HEADLINES_MOST:
        raise UsageError(f"--headline: {counts[-1]} comparisons; at most {HEADLINES_MOST} can be decided on")
    return wanted[: bisect_right(counts, HEADLINES_MOST)]


def _beyond(against: Sequence[_Against], chosen: Sequence[SeriesKey]) -> list[str]:
    """What is said of headlines that the runs name and that are too many."""
    named = {key for one in against for key, pair in one.pairs.items() if pair.header.headline}
    left = sorted({name for name, _ in named - set(chosen)})
    if not left:
        return []
    return [f"only {HEADLINES_MOST} comparisons can be headlines; these are judged with all others: {', '.join(left)}"]


def _effects(against: Sequence[_Against], keys: Sequence[SeriesKey]) -> list[_Asked]:
    """Of each series and quantile, every side that has it."""
    return [
        (one.letter, pair, quantile, _effect(pair, quantile))
        for key in keys
        for quantile in ("value", *QUANTILES)
        for one in against
        if (pair := one.pairs.get(key)) is not None and quantile in pair.quantiles
    ]


def _differences(asked: Sequence[_Asked], minimum_effect: float, *, headlines: bool) -> Iterator[Difference]:
    known = [(effect, pair.header.better) for _, pair, _, effect in asked if isinstance(effect, Effect)]
    judged = iter(judge(known, minimum_effect=minimum_effect, headlines=headlines))
    for letter, pair, quantile, effect in asked:
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
            side=letter,
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


def _effect(pair: Pair, quantile: Quantile) -> Effect | str:
    """Or why there is none."""
    q = QUANTILES.get(quantile, 0.5)
    if not pair.header.signed and any((values < 0).any() for side in pair.rounds for values in side):
        return "has negative values, as a clock that is set back makes them"
    try:
        return (paired_effect if pair.paired else unpaired_effect)(*pair.rounds, q=q)
    except NoEffectError as error:
        return str(error)


def _side(read: _Read, value: str) -> Side:
    document = read.document
    return Side(
        id=document.id, path=str(read.run.path), started=document.started, value=value,
        cluster=cluster_line(document), load=load_line(document),
        invalid_because=() if document.valid else document.invalid_because, remarks=causes_said(read.run.events()),
    )  # fmt: skip
