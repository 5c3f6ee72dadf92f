"""From the raw series of a run to the metrics in its run.json."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from ..errors import RunError
from ..measure.statistics import summarize
from .schema import Metric
from .series import SUFFIX, SeriesHeader, read_series

SeriesKey = tuple[str, tuple[tuple[str, str], ...]]
FoundSeries = tuple[SeriesHeader, npt.NDArray[np.void]]
DAMAGE = (RunError, msgspec.ValidationError, ValueError)


def metrics_of(run: Path) -> tuple[Metric, ...]:
    """A metric for each series of the run directory, by name and labels; :func:`damage_of` names what is left out."""
    metrics = []
    for path in _files(run):
        with suppress(*DAMAGE):
            metrics.append(_metric(run, path))
    return tuple(sorted(metrics, key=lambda metric: (metric.name, sorted(metric.labels.items()))))


def damage_of(run: Path) -> tuple[str, ...]:
    """Which series cannot be read, and why. One damaged file must not cost the rest of a run."""
    said = []
    for path in _files(run):
        try:
            _metric(run, path)
        except DAMAGE as error:
            said.append(f"{path.relative_to(run)} is damaged and its metric is missing: {error}")
    return tuple(said)


def series_of(run: Path) -> dict[SeriesKey, FoundSeries]:
    """Every series of the run directory, by name and labels; :func:`damage_of` names what is left out."""
    found: dict[SeriesKey, FoundSeries] = {}
    for path in _files(run):
        with suppress(*DAMAGE):
            header, samples = read_series(path)
            found[header.name, tuple(sorted(header.labels.items()))] = header, samples
    return found


def comparable_series_of(run: Path) -> dict[SeriesKey, FoundSeries]:
    """As :func:`series_of`, but those together, by time, that differ only in labels that came about by chance."""
    together: dict[SeriesKey, list[FoundSeries]] = {}
    for (name, labels), found in series_of(run).items():
        asked = tuple(pair for pair in labels if pair[0] not in found[0].chance)
        together.setdefault((name, asked), []).append(found)
    return {key: _joined(dict(key[1]), some) for key, some in together.items()}


def _joined(labels: dict[str, str], some: list[FoundSeries]) -> FoundSeries:
    samples = np.concatenate([found[1] for found in some])
    return msgspec.structs.replace(some[0][0], labels=labels), samples[np.argsort(samples["at_ns"], kind="stable")]


def _files(run: Path) -> list[Path]:
    try:
        return sorted(path for path in (run / "samples").iterdir() if path.name.endswith(SUFFIX))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{error.filename}: cannot be read: {error.strerror}") from error


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
