"""The charts of a comparison, from the raw values of its runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from idcbench.measure.statistics import Values
from idcbench.runs.comparison import Comparison
from idcbench.runs.directory import Run
from idcbench.runs.metrics import FoundSeries, SeriesKey, comparable_series_of
from idcbench.runs.pairing import Windows, rounds_of, windows_of
from idcbench.runs.series import file_name

from .boxes import boxes
from .ecdf import ecdf
from .growth import Growing, Growth, growth_chart, growths_of
from .lanes import lanes
from .quantile_bars import quantile_bars


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadSide:
    """One run as charts need it."""

    id: str
    series: dict[SeriesKey, FoundSeries]
    windows: Windows
    growths: tuple[Growing, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ReadSides:
    """All sides, by letter."""

    sides: dict[str, ReadSide]

    @classmethod
    def of(cls, comparison: Comparison, runs: Sequence[Run]) -> ReadSides:
        """Raises :class:`~idcbench.errors.RunError` when the files of a run cannot be read."""
        return cls({letter: _read(run) for letter, run in zip(comparison.sides, runs, strict=True)})

    def files(self) -> Iterator[tuple[str, str, str, str]]:
        """(metric, definition, letter, file) of every series."""
        for letter, side in self.sides.items():
            for (name, _), (header, _) in side.series.items():
                yield name, header.definition, letter, f"samples/{file_name(header.name, header.labels)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that is drawn of one metric: (title, SVG), and (letter, file of raw values)."""

    name: str
    labels: dict[str, str]
    drawn: tuple[tuple[str, Markup], ...]
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthOfSides:
    """How one measure grows in each side that has it."""

    name: str
    by: str
    labels: dict[str, str]
    sides: tuple[tuple[str, Growth], ...]
    chart: Markup


def charts_of(read: ReadSides, wanted: Sequence[SeriesKey]) -> list[Chart]:
    """Of each metric the charts that its values are enough for; one without any is left out."""
    charts = [_chart(read, key) for key in wanted]
    return [chart for chart in charts if chart.drawn]


def growths_of_sides(read: ReadSides) -> list[GrowthOfSides]:
    """Each growth that a run tells of, beside the same one of the other runs."""
    found: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[str, Growing]] = {}
    for letter, side in read.sides.items():
        for one in side.growths:
            key = (one.growth.metric, one.growth.by, tuple(sorted(one.growth.labels.items())))
            found.setdefault(key, {})[letter] = one
    return [
        GrowthOfSides(
            name=name,
            by=by,
            labels=dict(labels),
            sides=(sides := tuple((letter, one.growth) for letter, one in some.items())),
            chart=Markup(growth_chart(sides, unit=next(iter(some.values())).unit)),
        )
        for (name, by, labels), some in found.items()
    ]


def _read(run: Run) -> ReadSide:
    document = run.document()
    return ReadSide(
        id=document.id,
        series=comparable_series_of(run.path),
        windows=windows_of(run, document),
        growths=tuple(growths_of(run.events(), document.metrics)),
    )


def _chart(read: ReadSides, key: SeriesKey) -> Chart:
    having = {letter: side for letter, side in read.sides.items() if key in side.series}
    unit = next(iter(having.values())).series[key][0].unit
    values = [(letter, _values(side.series[key])) for letter, side in having.items()]
    rounds = [(letter, rounds_of(side.series[key], side.windows)) for letter, side in having.items()]
    timed = [(letter, *_timed(side.series[key])) for letter, side in having.items()]
    drawn = (
        ("Distribution", ecdf(values, unit=unit)),
        ("Quantiles by round", quantile_bars(rounds, unit=unit)),
        ("Spread and outliers", boxes(values, unit=unit)),
        ("Over time", lanes(timed, unit=unit)),
    )
    name, labels = key
    return Chart(
        name=name,
        labels=dict(labels),
        drawn=tuple((title, Markup(chart)) for title, chart in drawn if chart),
        files=tuple((letter, f"samples/{file_name(name, dict(labels))}") for letter in having),
    )


def _values(found: FoundSeries) -> Values:
    values = np.asarray(found[1]["value"], dtype=np.float64)
    return values[np.isfinite(values)]


def _timed(found: FoundSeries) -> tuple[Values, Values]:
    """The times in s from the first value, and the values."""
    samples = found[1][np.isfinite(found[1]["value"])]
    at_ns = np.asarray(samples["at_ns"], dtype=np.int64)
    at_s = np.asarray((at_ns - at_ns.min()) / 1e9 if len(at_ns) else at_ns, dtype=np.float64)
    return at_s, np.asarray(samples["value"], dtype=np.float64)
