"""A comparison as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from markupsafe import Markup

from idcbench.errors import RunError
from idcbench.runs.comparison import Comparison, Difference
from idcbench.runs.directory import Run
from idcbench.runs.judging import Word

from . import forest
from .comparing_charts import ReadSides, charts_of, growths_of_sides
from .comparing_words import DIFFERENT, amount, certainty, remarks, sentence
from .glossary import glossary
from .html import LARGEST_BYTES, environment
from .summary import summary_of

_CHARTS = (12, 8, 5, 3, 1, 0)
"""How many metrics are drawn: as many as fit."""
_COLOURS = {"better": "good", "worse": "bad", "higher": "warn", "lower": "warn", "same": "", "cannot tell": "muted"}
_REST: tuple[Word, ...] = ("cannot tell", "same", "insufficient")
"""Rows in which nothing differs go by the first of these that a side of them has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One quantile of one metric: the sides that have it, by letter."""

    sides: dict[str, Difference]

    @property
    def first(self) -> Difference:
        return next(iter(self.sides.values()))

    @property
    def rounds(self) -> list[int]:
        """Of the first run and the others, each number once."""
        return list(dict.fromkeys(count for one in self.sides.values() for count in one.rounds))

    @property
    def words(self) -> set[Word]:
        return {one.word for one in self.sides.values()}


def write_comparison(comparison: Comparison, runs: Sequence[Run], file: Path) -> Path:
    """Write the page to ``file``; returns it. Raises :class:`~idcbench.errors.RunError` when it cannot be written."""
    page = render_comparison(comparison, runs)
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{file}: cannot be written: {error.strerror}; name another file: --html") from error
    return file


def render_comparison(comparison: Comparison, runs: Sequence[Run]) -> str:
    """The whole page, below :data:`~.html.LARGEST_BYTES`: of many metrics those that differ are drawn."""
    read = ReadSides.of(comparison, runs)
    headlines, explored = _rows(comparison.headlines), _rows(comparison.exploratory)
    shown = [row for row in explored if row.words & set(DIFFERENT)]
    rest = [row for row in explored if row not in shown]
    wanted = list(dict.fromkeys((row.first.name, tuple(sorted(row.first.labels.items()))) for row in headlines + shown))
    charts = charts_of(read, wanted[: _CHARTS[0]])
    scale = forest.scale_of(comparison.differences, comparison.minimum_effect)
    render = partial(
        environment().get_template("comparison.html").render,
        it=comparison,
        others=list(comparison.sides)[1:],
        amount=amount,
        certainty=certainty,
        colour=lambda word: _COLOURS.get(word, "muted"),
        grey=lambda letter: " grey" if comparison.sides[letter].invalid_because else "",
        intervals=lambda row: Markup(forest.intervals(list(row.sides.values()), scale, comparison.minimum_effect)),
        axis=lambda: Markup(forest.axis(scale)),
        invalid=_invalid(comparison),
        verdict=_verdict(comparison),
        sentence=sentence(comparison),
        remarks=remarks(comparison),
        summary=summary_of(comparison),
        headlines=headlines,
        shown=shown,
        rest=[(word, some) for word in _REST if (some := [row for row in rest if _rank(row) == word])],
        growths=growths_of_sides(read),
        terms=glossary(read.files()),
    )
    page = ""
    for drawn in _CHARTS:
        page = render(charts=charts[:drawn], left_out=len(wanted) - len(charts[:drawn]))
        if len(page.encode()) < LARGEST_BYTES:
            break
    return page


def _rows(differences: Sequence[Difference]) -> list[Row]:
    groups = groupby(differences, key=lambda one: (one.name, one.labels, one.quantile))
    return [Row(sides={one.side: one for one in group}) for _, group in groups]


def _rank(row: Row) -> Word:
    return next(word for word in _REST if word in row.words)


def _invalid(comparison: Comparison) -> bool:
    return any(side.invalid_because for side in comparison.sides.values())


def _verdict(comparison: Comparison) -> str:
    """In large type; figures that must not be used have none."""
    if _invalid(comparison):
        return "Invalid"
    if not comparison.headlines:
        return "Nothing to decide"
    said = [_of_side(comparison, letter) for letter in list(comparison.sides)[1:]]
    return said[0][0].upper() + said[0][1:] if len(said) == 1 else ", ".join(said)


def _of_side(comparison: Comparison, letter: str) -> str:
    words = {one.word for one in comparison.headlines if one.side == letter}
    if {"better", "worse"} <= words:
        return f"{letter} is better and worse"
    for word in ("better", "worse"):
        if word in words:
            return f"{letter} is {word}"
    if words & {"higher", "lower"}:
        return f"{letter} is different"
    return f"{letter} is the same" if words == {"same"} else f"{letter}: cannot tell"
