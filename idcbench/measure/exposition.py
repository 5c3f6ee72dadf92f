"""What a component tells of itself in Prometheus' text form: single values, and quantiles of a histogram's growth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Buckets = Mapping[float, float]
"""How many observations were at most so large, by that bound; the last bound is infinity."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was told at one time; ``values`` are sums over all labels, ``buckets`` those of histograms."""

    values: Mapping[str, float]
    buckets: Mapping[str, Buckets]

    @classmethod
    def of(cls, text: str, *, names: Sequence[str]) -> Reading:
        """Those metrics alone: whole names of counters and gauges (``…_total`` included) and names of histograms.

        What the text has not is not there. Raises ``ValueError`` when it is not in that form.
        """
        wanted = tuple(names)
        lines = (line for line in text.splitlines() if line.startswith(wanted))
        values: dict[str, float] = {}
        buckets: dict[str, dict[float, float]] = {}
        for family in text_string_to_metric_families("\n".join([*lines, ""])):
            for sample in family.samples:
                base = sample.name.removesuffix("_bucket")
                if "le" in sample.labels and base in wanted:
                    counts, bound = buckets.setdefault(base, {}), float(sample.labels["le"])
                    counts[bound] = counts.get(bound, 0.0) + sample.value
                elif sample.name in wanted:
                    values[sample.name] = values.get(sample.name, 0.0) + sample.value
        return cls(values, buckets)


def buckets_by(text: str, name: str, labels: Sequence[str]) -> dict[tuple[str, ...], Buckets]:
    """One histogram of the text, by the values of these labels; sums over all others, nothing where it is not there."""
    lines = (line for line in text.splitlines() if line.startswith(f"{name}_bucket{{"))
    found: dict[tuple[str, ...], dict[float, float]] = {}
    for family in text_string_to_metric_families("\n".join([*lines, ""])):
        for sample in family.samples:
            counts = found.setdefault(tuple(sample.labels.get(label, "") for label in labels), {})
            bound = float(sample.labels["le"])
            counts[bound] = counts.get(bound, 0.0) + sample.value
    return dict(found)


def grown(before: Buckets, after: Buckets) -> Buckets:
    """What was observed in between. Raises ``ValueError`` when counts fell: the component began anew."""
    found = {bound: count - before.get(bound, 0.0) for bound, count in after.items()}
    if any(count < 0 for count in found.values()):
        raise ValueError("the counts of a histogram fell: the component was started anew in between")
    return found


def bucket_quantile(q: float, buckets: Buckets) -> float | None:
    """The quantile, linear within its bucket, as Prometheus' histogram_quantile: known to that bucket's width only.

    ``None`` without observations; the last finite bound for what lies above it.
    """
    bounds = sorted(buckets)
    if not bounds or buckets[bounds[-1]] <= 0:
        return None
    rank = q * buckets[bounds[-1]]
    below, passed = 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= rank and buckets[bound] > passed:
            if math.isinf(bound):
                return below
            return below + (bound - below) * (rank - passed) / (buckets[bound] - passed)
        below, passed = (below if math.isinf(bound) else bound), buckets[bound]
    return below
