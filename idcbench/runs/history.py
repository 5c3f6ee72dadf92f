"""The history of a target: which of its runs make one line, and where on it each metric changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..errors import RunError, UsageError
from ..measure.changes import LEVEL, find_changes
from ..measure.effect import Effect, unpaired_effect
from ..measure.statistics import Values
from .comparing import MINIMUM_EFFECT
from .comparison import Quantile
from .judging import direction
from .schema import Metric, RunDocument
from .series import read_series
from .settings import NO_SETTINGS, unasked
from .shelf import Shelved
from .trends import History, LeftOut, Line, Point, Shift, Trend

MAY_DIFFER = NO_SETTINGS | {
    f"options.{name}"
    for name in ("target", "suite", "kubernetes", "artifacts", "mirror", "kubeconfig", "context", "allow_disruption")
}
"""Options that do not keep two runs off one line: what is tested, and where from; a change point tells of them."""
SHAPE = ("control_planes", "nodes", "profile", "shape")
NEAREST = 50
"""So many runs on either side of a change tell by how much: an interval of more takes long and says no more."""
LARGEST = 1e150
"""A larger value has no square, and is none that was measured."""


@dataclass(frozen=True, slots=True)
class _Usable:
    path: Path
    document: RunDocument


def history_of(
    runs: Sequence[Shelved], *, last: int, metrics: Sequence[str] = (), minimum_effect: float = MINIMUM_EFFECT
) -> History:
    """The ``last`` usable runs of each target as lines, with the trends of ``metrics``, or of all when empty.

    A run that is invalid, interrupted, unfinished or unreadable is named and left out. A change below
    ``minimum_effect``, a share, is not told. Raises :class:`UsageError` for a metric that no run has.
    """
    left_out: list[LeftOut] = []
    usable: list[_Usable] = []
    for folder in dict.fromkeys(run.path.parent for run in runs):
        usable += _newest([run for run in runs if run.path.parent == folder], last, left_out)
    _check_names(usable, metrics)
    lines = [_line(some, metrics, minimum_effect, left_out) for some in _alike(usable)]
    return History(level=LEVEL, minimum_effect=minimum_effect, lines=tuple(lines), left_out=tuple(left_out))


def _newest(runs: Sequence[Shelved], last: int, left_out: list[LeftOut]) -> list[_Usable]:
    """The newest that can be used, oldest first, and on the way what cannot."""
    found: list[_Usable] = []
    for run in reversed(runs):
        if len(found) == last:
            break
        if why := _unusable(run):
            left_out.append(LeftOut(what=f"{run.path.parent.name}/{run.path.name}", why=why))
        elif run.document is not None:
            found.append(_Usable(run.path, run.document))
    return found[::-1]


def _unusable(run: Shelved) -> str:
    document = run.document
    if document is None:
        return run.trouble
    if document.ended is None:
        return "it has no end: it was cut off, or is still going on"
    if document.interrupted:
        return "it was interrupted"
    return "" if document.valid else f"it is invalid: {'; '.join(document.invalid_because) or 'no reason was recorded'}"


def _check_names(runs: Sequence[_Usable], metrics: Sequence[str]) -> None:
    there = sorted({metric.name for run in runs for metric in run.document.metrics})
    for name in metrics:
        if name not in there:
            raise UsageError(f"--metric {name}: no usable run has it; there are: {', '.join(there) or 'none'}")


def _alike(runs: Sequence[_Usable]) -> list[list[_Usable]]:
    """Runs of one target and the same settings, the line of the newest run first."""
    lines: dict[tuple[str, str], list[_Usable]] = {}
    for run in runs:
        lines.setdefault((run.path.parent.name, repr(settings_of(run.document))), []).append(run)
    return sorted(lines.values(), key=lambda line: line[-1].document.started, reverse=True)


def settings_of(document: RunDocument) -> dict[str, str]:
    """What has to be alike for figures to be set beside each other: the options, and the shape that came of them."""
    told = document.facts.get("cluster")
    cluster: dict[str, Any] = told if isinstance(told, dict) else {}
    pairing = document.facts.get("ab")
    found = {key: value for key, value in document.options.items() if f"options.{key}" not in MAY_DIFFER}
    found |= {key: cluster[key] for key in SHAPE if cluster.get(key) is not None}
    if isinstance(pairing, dict) and "key" in pairing:
        found[str(pairing["key"]).replace("-", "_")] = pairing.get("value")
    return {key: str(value) for key, value in sorted(found.items())}


def _line(runs: list[_Usable], metrics: Sequence[str], minimum_effect: float, left_out: list[LeftOut]) -> Line:
    return Line(
        target=runs[0].path.parent.name,
        settings=settings_of(runs[-1].document),
        runs=tuple(run.document.id for run in runs),
        trends=tuple(_trends(runs, metrics, minimum_effect, left_out)),
    )


def _trends(
    runs: list[_Usable], metrics: Sequence[str], minimum_effect: float, left_out: list[LeftOut]
) -> Iterator[Trend]:
    """Of every metric that the runs have: with its unit and direction, as one that changed them is another."""
    found: dict[tuple[object, ...], list[tuple[_Usable, Metric]]] = {}
    for run in runs:
        for metric in run.document.metrics:
            if metrics and metric.name not in metrics:
                continue
            if why := _unfit(run.path, metric):
                left_out.append(LeftOut(what=f"{metric.name} of {run.document.id}", why=why))
                continue
            key = (metric.name, tuple(sorted(metric.labels.items())), metric.unit, metric.better)
            found.setdefault(key, []).append((run, metric))
    for _, measured in sorted(found.items()):
        yield from _of_metric(measured, minimum_effect)


def _unfit(run: Path, metric: Metric) -> str:
    """Why a metric's figures are none to look at."""
    if metric.n == 0 or metric.p50 is None:
        return "it has no samples"
    if max(abs(each) for each in (metric.min, metric.p50, metric.max) if each is not None) > LARGEST:
        return "it has values too large to be compared"
    if metric.min is not None and metric.min < 0 and not _signed(run / metric.samples):
        return "it has negative values, as a clock that is set back makes them"
    return ""


def _signed(samples: Path) -> bool:
    try:
        return read_series(samples)[0].signed
    except (RunError, OSError, msgspec.ValidationError, ValueError):
        return False


def _of_metric(measured: list[tuple[_Usable, Metric]], minimum_effect: float) -> Iterator[Trend]:
    single = all(metric.n == 1 for _, metric in measured)
    quantiles: tuple[Quantile, ...] = ("value",) if single else ("p50", "p99")
    for quantile in quantiles:
        having = [(run, metric) for run, metric in measured if _figure(metric, quantile) is not None]
        if not having:
            continue
        newest = having[-1][1]
        values = np.array([_figure(metric, quantile) for _, metric in having], dtype=np.float64)
        documents = [run.document for run, _ in having]
        yield Trend(
            name=newest.name,
            labels=newest.labels,
            unit=newest.unit,
            better=newest.better,
            definition=newest.definition,
            quantile=quantile,
            points=tuple(
                Point(run=document.id, started=document.started, value=value)
                for document, value in zip(documents, values.tolist(), strict=True)
            ),
            shifts=tuple(_shifts(values, documents, newest, minimum_effect)),
        )


def _figure(metric: Metric, quantile: Quantile) -> float | None:
    return metric.p99 if quantile == "p99" else metric.p50


def _shifts(
    values: Values, documents: Sequence[RunDocument], metric: Metric,
    minimum_effect: float,
) -> Iterator[Shift]:  # fmt: skip
    changes = find_changes(values)
    edges = [0, *(change.index for change in changes), len(values)]
    levels = [values[begin:end] for begin, end in pairwise(edges)]
    for change, (old, new) in zip(changes, pairwise(levels), strict=True):
        effect = unpaired_effect(_each(old[-NEAREST:]), _each(new[:NEAREST]), q=0.5)
        if _is_small(effect, minimum_effect):
            continue
        before, after = documents[change.index - 1], documents[change.index]
        yield Shift(
            index=change.index, before=before.id, after=after.id, a=effect.a, b=effect.b, scale=effect.scale,
            value=effect.value, low=effect.low, high=effect.high, p=change.p,
            word=direction(effect.shift, metric.better), changed=unasked(before, after),
        )  # fmt: skip


def _each(values: Values) -> list[Values]:
    return np.split(values, len(values))


def _is_small(effect: Effect, minimum_effect: float) -> bool:
    limit = math.log1p(minimum_effect) if effect.scale == "ratio" else minimum_effect * abs(effect.a)
    return abs(effect.shift) <= limit
