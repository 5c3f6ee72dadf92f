"""A comparison as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup

from idcbench.errors import RunError
from idcbench.measure.statistics import Values
from idcbench.runs.comparison import Comparison, Difference
from idcbench.runs.directory import Run
from idcbench.runs.metrics import comparable_series_of

from . import forest
from .balance import groups
from .comparing_words import DIFFERENT, amount, certainty, remarks, sentence
from .ecdf import ecdf
from .html import environment

CURVES_MOST = 12
_COLOURS = {"better": "good", "worse": "bad", "higher": "warn", "lower": "warn", "same": "", "cannot tell": "muted"}


def write_comparison(comparison: Comparison, runs: tuple[Run, Run], file: Path) -> Path:
    """Write the page to ``file``; returns it. Raises :class:`~idcbench.errors.RunError` when it cannot be written."""
    page = render_comparison(comparison, runs)
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{file}: cannot be written: {error.strerror}; name another file: --html") from error
    return file


def render_comparison(comparison: Comparison, runs: tuple[Run, Run]) -> str:
    """The whole page: what differs on top, what does not folded below."""
    scale = forest.scale_of(comparison.differences, comparison.minimum_effect)
    shown = [one for one in comparison.exploratory if one.word in DIFFERENT]
    rest = [
        (word, [one for one in comparison.exploratory if one.word == word])
        for word in ("same", "cannot tell", "insufficient")
    ]
    return (
        environment()
        .get_template("comparison.html")
        .render(
            it=comparison,
            amount=amount,
            certainty=certainty,
            colour=lambda word: _COLOURS.get(word, "muted"),
            interval=lambda one: Markup(forest.interval(one, scale, comparison.minimum_effect)),
            axis=lambda: Markup(forest.axis(scale)),
            verdict=_verdict(comparison),
            sentence=sentence(comparison),
            groups=groups(comparison),
            remarks=remarks(comparison),
            curves=_curves(comparison.headlines or shown, runs),
            shown=shown,
            rest=[(word, some) for word, some in rest if some],
        )
    )


def _verdict(comparison: Comparison) -> str:
    words = {one.word for one in comparison.headlines}
    if not words:
        return "Nothing to decide"
    if {"better", "worse"} <= words:
        return "Better and worse"
    for word in ("better", "worse"):
        if word in words:
            return f"B is {word}"
    if words & {"higher", "lower"}:
        return "B is different"
    return "The same" if words == {"same"} else "Cannot tell"


def _curves(differences: Sequence[Difference], runs: tuple[Run, Run]) -> list[tuple[str, Markup]]:
    """Of the first metrics, each once."""
    wanted = list(dict.fromkeys((one.name, tuple(sorted(one.labels.items())), one.unit) for one in differences))
    found = [comparable_series_of(run.path) for run in runs]
    curves = []
    for name, labels, unit in wanted[:CURVES_MOST]:
        sides = [(letter, _values(side[name, labels][1])) for letter, side in zip("AB", found, strict=True)]
        title = f"{name} ({', '.join(f'{key} {value}' for key, value in labels)})" if labels else name
        if chart := ecdf(sides, unit=unit):
            curves.append((title, Markup(chart)))
    return curves


def _values(samples: np.ndarray[tuple[int, ...], np.dtype[np.void]]) -> Values:
    values = np.asarray(samples["value"], dtype=np.float64)
    return values[np.isfinite(values)]
