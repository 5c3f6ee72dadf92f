"""Two runs set side by side: every metric that both have, each with a verdict."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import msgspec

from ..errors import RunError, UsageError
from ..measure.effect import Effect, NoEffectError, Values, paired_effect, unpaired_effect
from .comparison import Comparison, Difference, Quantile, Side
from .directory import Run
from .judging import judge
from .metrics import FoundSeries, damage_of, series_of
from .rounds import Kind, in_parts, in_windows, one_by_one, round_windows
from .schema import RunDocument
from .series import SeriesHeader
from .settings import unasked

MINIMUM_EFFECT = 0.05
HEADLINES_MOST = 10
QUANTILES: dict[Quantile, float] = {"p50": 0.50, "p99": 0.99}
DRIFT = (
    "the runs were not interleaved: whatever else changed between them, on this machine or another, is in the "
    "differences too"
)
PARTS = "rounds are parts of one run where a run has none: how much another run would differ is not known"


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


def compare_runs(
    a: Run, b: Run, *, minimum_effect: float = MINIMUM_EFFECT, headlines: Sequence[str] = ()
) -> Comparison:  # fmt: skip
    """B against A. ``headlines`` names metrics that stand for those that the runs themselves name.

    Raises :class:`RunError` when the runs have no metric in common, :class:`UsageError` for a headline that is none.
    """
    documents = a.document(), b.document()
    series = series_of(a.path), series_of(b.path)
    common = [key for key in sorted(series[0]) if key in series[1]]
    alike = [key for key in common if _alike(series[0][key][0], series[1][key][0])]
    if not alike:
        raise RunError(f"{documents[0].id} and {documents[1].id} have no metric in common; compare runs of one suite")
    key, values = _made_to_differ(*documents)
    windows = round_windows(a.events()), round_windows(b.events())
    pairs = [_pair(series[0][one], series[1][one], windows, interleaved=bool(key)) for one in alike]
    chosen = _headlines(pairs, headlines)
    differences = (
        *_differences(chosen, minimum_effect, headlines=True),
        *_differences([pair for pair in pairs if pair not in chosen], minimum_effect, headlines=False),
    )
    return Comparison(
        a=_side(a, documents[0], values[0]),
        b=_side(b, documents[1], values[1]),
        key=key,
        interleaved=bool(key),
        minimum_effect=minimum_effect,
        warnings=tuple(_warnings(a, b, documents, pairs, len(common) - len(alike), interleaved=bool(key))),
        changed=unasked(*documents, asked=key),
        differences=differences,
    )


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


def _differences(pairs: Sequence[_Pair], minimum_effect: float, *, headlines: bool) -> Iterator[Difference]:
    """Of one family, which is corrected as one."""
    asked = [(pair, quantile) for pair in pairs for quantile in pair.quantiles]
    effects = [_effect(pair, quantile) for pair, quantile in asked]
    known = [
        (one, pair.header.better) for (pair, _), one in zip(asked, effects, strict=True) if isinstance(one, Effect)
    ]
    judged = iter(judge(known, minimum_effect=minimum_effect, headlines=headlines))
    for (pair, quantile), effect in zip(asked, effects, strict=True):
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
    sides = a.facts.get("ab") or {}, b.facts.get("ab") or {}
    if not sides[0] or sides[0].get("id") != sides[1].get("id") or a.id == b.id:
        return "", ("", "")
    return str(sides[0]["key"]), (str(sides[0]["value"]), str(sides[1]["value"]))


def _side(run: Run, document: RunDocument, value: str) -> Side:
    return Side(
        id=document.id, path=str(run.path), started=document.started, value=value,
        invalid_because=() if document.valid else document.invalid_because,
    )  # fmt: skip


def _warnings(
    a: Run, b: Run, documents: tuple[RunDocument, RunDocument], pairs: Sequence[_Pair], unlike: int, *,
    interleaved: bool,
) -> Iterator[str]:  # fmt: skip
    if a.path == b.path:
        yield "this is one run, compared with itself"
    for run, document in zip((a, b), documents, strict=True):
        if not document.valid:
            yield f"the figures of {document.id} are invalid: {'; '.join(document.invalid_because)}"
        for damage in damage_of(run.path):
            yield f"{document.id}: {damage}"
    if not interleaved:
        yield DRIFT
    if any(pair.kind == "parts" for pair in pairs):
        yield PARTS
    kinds = [str(document.options.get("target") or document.target) for document in documents]
    if kinds[0] != kinds[1]:
        yield f"the targets are unlike ({kinds[0]} and {kinds[1]}): a difference need not be that of what was changed"
    if unlike:
        yield f"{unlike} metrics have another unit or direction in the other run, and are left out"
