"""Counters and histograms that cost a few additions where they are counted, and are put into words at a scrape.

prometheus_client's own take a lock and a linear search for each observation; here all counting is in one thread, the
event loop's, so that neither is needed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

from .metrics_families import Family


class Counter:
    """A counter or a gauge."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, by: float = 1) -> None:
        self.value += by


class Histogram:
    """Observations by the bucket they fall in; the last one is +Inf."""

    __slots__ = ("_bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float, *, times: int = 1) -> None:
        self.counts[bisect_left(self._bounds, value)] += times
        self.sum += value * times


class Counters:
    """The counters of a family, one per combination of label values; made when it is first asked for."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self._cells: dict[tuple[str, ...], Counter] = {}
        if not family.labels:
            self._cells[()] = Counter()

    def __getitem__(self, labels: tuple[str, ...]) -> Counter:
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cells[labels] = Counter()
        return cell

    def collect(self) -> Metric:
        """What a scrape shows."""
        return filled(self.family, ((labels, cell.value) for labels, cell in list(self._cells.items())))


class Histograms:
    """The histograms of a family."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self._cells: dict[tuple[str, ...], Histogram] = {}
        if not family.labels:
            self._cells[()] = Histogram(family.buckets)

    def __getitem__(self, labels: tuple[str, ...]) -> Histogram:
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cells[labels] = Histogram(self.family.buckets)
        return cell

    def collect(self) -> Metric:
        """What a scrape shows; the buckets add up, as the format wants them."""
        shown = HistogramMetricFamily(self.family.name, self.family.documentation, labels=self.family.labels)
        for labels, cell in list(self._cells.items()):
            shown.add_metric(labels, list(_cumulative(self.family.buckets, cell.counts)), cell.sum)
        return shown


def series_of(family: Family) -> Counters | Histograms:
    return Histograms(family) if family.kind == "histogram" else Counters(family)


def filled(family: Family, samples: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """A counter or gauge with these values by label values."""
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    shown = kind(family.name, family.documentation, labels=family.labels)
    for labels, value in samples:
        shown.add_metric(labels, value)
    return shown


def _cumulative(bounds: tuple[float, ...], counts: list[int]) -> Iterator[tuple[str, float]]:
    total = 0
    for bound, count in zip((*bounds, float("inf")), counts, strict=True):
        total += count
        yield floatToGoString(bound), float(total)  # type: ignore[no-untyped-call]
