"""A comparison in words and cells, for all forms of its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from idcbench.runs.comparison import Comparison, Difference, Side
from idcbench.runs.judging import MORE_MOST, Word

from .faultrows import labels_text
from .figures import NOTHING, figure
from .tables import Table

DIFFERENT: tuple[Word, ...] = ("better", "worse", "higher", "lower")
WORDS: tuple[Word, ...] = (*DIFFERENT, "same", "cannot tell", "insufficient")
_SAID = {
    "same": "the same", "cannot tell": "undecided", "insufficient": "without enough samples",
}  # fmt: skip
NAMED = 3


def sentence(comparison: Comparison) -> str:
    """Who is better in what, by the headlines, or by all that there is where none was named."""
    family = comparison.headlines or comparison.exploratory
    told = []
    for letter in list(comparison.sides)[1:]:
        counts = Counter(one.word for one in family if one.side == letter)
        words = ", ".join(f"{said(word)} in {counts[word]}" for word in WORDS if counts[word])
        told.append(f"{letter} is {words or 'not to be compared'} of {counts.total()}")
    what = f"headline comparison{'' if told[-1].endswith(' 1') else 's'}" if comparison.headlines else "comparisons"
    opening = "" if comparison.headlines else "No headline was named before the runs. Looking around, "
    return f"{opening}{'; '.join(told)} {what}."


def said(word: Word) -> str:
    """The word of a verdict within a sentence."""
    return _SAID.get(word, word)


def findings(comparison: Comparison) -> list[str]:
    """The clearest differences, a sentence each: the headlines that differ, or the largest of the others."""
    differ = [one for one in comparison.headlines or comparison.exploratory if one.word in DIFFERENT]
    if not comparison.headlines:
        differ.sort(key=lambda one: one.p_corrected or 0.0)
    told = differ if comparison.headlines else differ[:NAMED]
    return [f"{one.title} is {one.word}{f' in {one.side}' if comparison.others else ''}: {amount(one)}" for one in told]


def remarks(comparison: Comparison) -> list[str]:
    """What is to be known of each side: ``A: outages of host-loss-silent: nobody could take over; …``."""
    return [f"{letter}: {remark}" for letter, one in comparison.sides.items() for remark in one.remarks]


def amount(one: Difference) -> str:
    """By how much, with its interval: ``1.20 times (1.10 to 1.32)``."""
    if one.value is None:
        return NOTHING
    if one.scale == "ratio":
        interval = f" ({one.low:.3g} to {one.high:.3g})" if one.low is not None and one.high is not None else ""
        return f"{one.value:.3g} times{interval}"
    sign = "+" if one.value > 0 else ""
    between = one.low is not None and one.high is not None
    interval = f" ({figure(one.low, one.unit)} to {figure(one.high, one.unit)})" if between else ""
    return f"{sign}{figure(one.value, one.unit)}{interval}"


def certainty(one: Difference) -> str:
    """Why the verdict is not firmer, or how firm it is."""
    if one.word == "insufficient":
        return one.why
    if one.word == "cannot tell":
        if one.more_rounds is None:
            return f"more than {MORE_MOST} more rounds would be needed"
        return f"{one.more_rounds} more round{'' if one.more_rounds == 1 else 's'} would tell"
    return f"p {one.p_corrected:.2g}" if one.p_corrected is not None and one.word != "same" else ""


def side(letter: str, one: Side, key: str) -> str:
    """``A: embedded/0007_run (control-planes=1)``."""
    return f"{letter}: {one.id}{f' ({key}={one.value})' if key else ''}"


def table(title: str, differences: Sequence[Difference], *, several: bool = False) -> Table:
    """One line for each; with ``several`` sides against A, one more column says which."""
    heads = ("metric", "", "A", "B", "B against A (95 % interval)", "rounds", "B is", "")
    if several:
        heads = ("metric", "", "A", "it", "it against A (95 % interval)", "rounds", "it is", "")
    rows = tuple(_cells(one) for one in differences)
    if not several:
        return Table(title, heads, rows, frozenset({2, 3, 5}))
    marked = tuple((one.side, *cells) for one, cells in zip(differences, rows, strict=True))
    return Table(title, ("run", *heads), marked, frozenset({3, 4, 6}))


def _cells(one: Difference) -> tuple[str, ...]:
    return (
        one.name + (f" ({labels_text(one.labels)})" if one.labels else ""),
        "" if one.quantile == "value" else one.quantile,
        figure(one.a, one.unit),
        figure(one.b, one.unit),
        amount(one),
        f"{one.rounds[0]}" if one.rounds[0] == one.rounds[1] else f"{one.rounds[0]}, {one.rounds[1]}",
        one.word,
        certainty(one),
    )
