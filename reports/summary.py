"""A comparison on one page: what was compared, under what load, what is better in what, by how much, how sure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf, log

from idcbench.runs.comparison import Comparison, Difference, Side

from .comparing_words import DIFFERENT, WORDS, amount, said
from .faultrows import labels_text
from .figures import figure
from .subjects import INSTRUMENTS, SUBJECTS, subject_of

TOLD = 4
"""So many differences of a subject are told; the others are counted."""
NAMES = {
    ("control-planes", "1"): ("one master", "buys", "it costs"),
    ("control-planes", "3"): ("three masters", "buy", "they cost"),
    ("control-planes", "5"): ("five masters", "buy", "they cost"),
}
"""What a side of ``--ab`` is called, and its verbs; others by their setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One subject of one side: how many comparisons ended how, and the differences that weigh most, in a line each."""

    subject: str
    counts: str
    gains: tuple[str, ...]
    losses: tuple[str, ...]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSummary:
    """One side against the first; ``gained`` and ``lost`` are the headings of what is better and worse."""

    letter: str
    gained: str
    lost: str
    told: tuple[Told, ...]

    def lines(self, which: str) -> list[tuple[str, str]]:
        """(subject, line) of all ``gains``, ``losses`` or ``changes``."""
        return [(one.subject, line) for one in self.told for line in getattr(one, which)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """``opening`` says what was compared and under what load, ``certainty`` how sure what is told is."""

    opening: tuple[str, ...]
    sides: tuple[SideSummary, ...]
    certainty: tuple[str, ...]


def summary_of(comparison: Comparison) -> Summary:
    """The page, from the comparison alone."""
    letters = list(comparison.sides)[1:]
    return Summary(
        opening=(_compared(comparison), _load(comparison), _rounds(comparison)),
        sides=tuple(_side(comparison, letter) for letter in letters),
        certainty=tuple(_certainty(comparison)),
    )


def _compared(comparison: Comparison) -> str:
    first, *others = (_called(letter, side, comparison.key) for letter, side in comparison.sides.items())
    return f"Measured against {first}: {'; '.join(others)}."


def _called(letter: str, side: Side, key: str) -> str:
    inside = ", ".join(filter(None, [f"{key}={side.value}" if key else "", side.cluster]))
    return f"{letter}, the run {side.id}{f' ({inside})' if inside else ''}"


def _load(comparison: Comparison) -> str:
    loads = {letter: side.load for letter, side in comparison.sides.items() if side.load}
    if not loads:
        return "The runs do not say under what load they were; each metric's definition says what it was taken under."
    if len(loads) == len(comparison.sides) and len(set(loads.values())) == 1:
        return f"The load: {next(iter(loads.values()))}."
    told = [f"{letter} {loads.get(letter, 'not said')}" for letter in comparison.sides]
    return f"The load was not the same: {'; '.join(told)}."


def _rounds(comparison: Comparison) -> str:
    counts = [
        count for one in comparison.differences for count in one.rounds if one.headline or not comparison.headlines
    ]
    low, high = min(counts, default=0), max(counts, default=0)
    how = "in turns, so that what drifts hits all alike" if comparison.interleaved else "not in turns"
    return f"{low if low == high else f'{low} to {high}'} rounds a side, taken {how}."


def _side(comparison: Comparison, letter: str) -> SideSummary:
    side = comparison.sides[letter]
    name, verb, costs = NAMES.get((comparison.key, side.value), ("", "", ""))
    if not name and comparison.key:
        name, verb, costs = f"{comparison.key}={side.value}", "buys", "it costs"
    mine = [one for one in comparison.differences if one.side == letter]
    return SideSummary(
        letter=letter,
        gained=f"What {name} {verb}" if name else f"What is better in {letter}",
        lost=f"What {costs}" if name else f"What is worse in {letter}",
        told=tuple(_told(mine)),
    )


def _told(differences: Sequence[Difference]) -> Iterable[Told]:
    order = [subject for subject, _, _ in SUBJECTS if subject != INSTRUMENTS]
    about = {subject: [one for one in differences if subject_of(one.name, one.unit) == subject] for subject in order}
    for subject, some in about.items():
        if some:
            counts = Counter(one.word for one in some)
            yield Told(
                subject=subject,
                counts=", ".join(f"{counts[word]} {said(word)}" for word in WORDS if counts[word])
                + f", of {len(some)}",
                gains=_lines(some, ("better",)),
                losses=_lines(some, ("worse",)),
                changes=_lines(some, ("higher", "lower")),
            )


def _lines(differences: Sequence[Difference], words: Sequence[str]) -> tuple[str, ...]:
    """Headlines first, then by how many times; a metric once, by the first of its quantiles that differs."""
    chosen = [one for one in differences if one.word in words]
    once = [next(group) for _, group in groupby(chosen, key=lambda one: (one.name, one.labels))]
    once.sort(key=lambda one: (not one.headline, -_weight(one)))
    lines = [_line(one) for one in once[:TOLD]]
    return (*lines, f"and {len(once) - TOLD} more below") if len(once) > TOLD else tuple(lines)


def _weight(one: Difference) -> float:
    if one.scale == "ratio" and one.value:
        return abs(log(one.value))
    return inf


def _line(one: Difference) -> str:
    labels = f" ({labels_text(one.labels)})" if one.labels else ""
    quantile = "" if one.quantile == "value" else f" {one.quantile}"
    became = f"{figure(one.a, one.unit)} became {figure(one.b, one.unit)}, {amount(one)}"
    return f"{one.name}{quantile}{labels}: {became}{'' if one.headline else ', found in looking around'}"


def _certainty(comparison: Comparison) -> Iterable[str]:
    for family, what in ((comparison.headlines, "named before the runs"), (comparison.exploratory, "others")):
        if family:
            counts = Counter(one.word for one in family)
            differ = sum(counts[word] for word in DIFFERENT)
            rest = ", ".join(f"{counts[word]} {said(word)}" for word in WORDS[4:] if counts[word])
            yield (
                f"Of {len(family)} comparisons {what}, {differ} {'differs' if differ == 1 else 'differ'}"
                f"{f'; {rest}' if rest else ''}. "
                + (
                    "The chance that any of these differences is a false one is below 5 %."
                    if what.startswith("named")
                    else "Of these differences 5 % may be false: a reason to measure again."
                )
            )
    invalid = [letter for letter, side in comparison.sides.items() if side.invalid_because]
    if invalid:
        yield f"The figures of {' and '.join(invalid)} are invalid: nothing here may be relied on."
