"""From the raw series of a run to the metrics in its run.json."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..measure.statistics import summarize
from .schema import Metric
from .series import SUFFIX, read_series


def metrics_of(run: Path) -> tuple[Metric, ...]:
    """A metric for each series of the run directory, by name and labels. Raises :class:`~idcbench.errors.RunError`."""
    metrics = [_metric(run, path) for path in sorted((run / "samples").glob(f"*{SUFFIX}"))]
    return tuple(sorted(metrics, key=lambda metric: (metric.name, sorted(metric.labels.items()))))


def _metric(run: Path, path: Path) -> Metric:
    header, samples = read_series(path)
    summary = summarize(np.asarray(samples["value"], dtype=np.float64))
    return Metric(
        name=header.name,
        labels=header.labels,
        unit=header.unit,
        better=header.better,
        n=summary.n,
        min=summary.min,
        p50=summary.p50,
        p95=summary.p95,
        p99=summary.p99,
        max=summary.max,
        ci95=summary.ci95,
        definition=header.definition,
        samples=str(path.relative_to(run)),
        clock=header.clock,
    )
