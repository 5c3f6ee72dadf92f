"""A history in words and cells, for all forms of its report."""

from __future__ import annotations

from idcbench.measure.changes import LEAST
from idcbench.runs.trends import History, Line, Shift, Trend

from .faultrows import labels_text
from .figures import figure
from .tables import Table
from .trend import blocks

NAMED = 6
"""So many of the settings that changed at a change point are named in a line."""


def sentence(history: History) -> str:
    """How many trends there are, how many changed, and how many of those may be false."""
    trends = [trend for line in history.lines for trend in line.trends]
    runs = sum(len(line.runs) for line in history.lines)
    changed = sum(bool(trend.shifts) for trend in trends)
    able = sum(len(trend.points) >= LEAST for trend in trends)
    said = f"{changed} of {_many(len(trends), 'trend')} over {_many(runs, 'run')} changed"
    if not able:
        return f"{said}; a change point needs {LEAST} runs of a metric."
    return (
        f"{said}; {able} {'has' if able == 1 else 'have'} the {LEAST} runs that a change point needs, and without any "
        f"change about {able * history.level:.2g} would show one (p below {history.level:g} each)."
    )


def title(line: Line) -> str:
    """Which runs: ``embedded: 12 runs, 0001_run to 0014_run``."""
    first, last = (run.rpartition("/")[2] for run in (line.runs[0], line.runs[-1]))
    return f"{line.target}: " + (f"one run, {last}" if len(line.runs) == 1 else
                                 f"{len(line.runs)} runs, {first} to {last}")  # fmt: skip


def settings(line: Line) -> str:
    """What these runs have in common."""
    return ", ".join(f"{key}={value}" for key, value in line.settings.items() if value) or "no settings were recorded"


def name(trend: Trend) -> str:
    """The metric with its labels and quantile."""
    labels = f" ({labels_text(trend.labels)})" if trend.labels else ""
    return f"{trend.name}{labels}{'' if trend.quantile == 'value' else f' {trend.quantile}'}"


def trend_table(line: Line) -> Table:
    """One line for each trend, those with a change point first."""
    rows = tuple(
        (
            name(trend),
            str(len(trend.points)),
            figure(trend.points[0].value, trend.unit),
            figure(trend.points[-1].value, trend.unit),
            blocks([point.value for point in trend.points]),
            f"{trend.shifts[-1].word} since {_short(trend.shifts[-1].after)}" if trend.shifts else "",
        )
        for trend in in_order(line)
    )
    return Table("Trends", ("metric", "runs", "oldest", "newest", "trend", "changed"), rows, frozenset({1, 2, 3}))


def in_order(line: Line) -> list[Trend]:
    """Those with a change point first."""
    return sorted(line.trends, key=lambda trend: not trend.shifts)


def told(trend: Trend, shift: Shift) -> str:
    """A change point in a sentence: ``p99 is worse from 0012_run on (before: 0011_run): 1.2 times …``."""
    return (
        f"{name(trend)} is {shift.word} from {_short(shift.after)} on (before: {_short(shift.before)}): "
        f"{amount(trend, shift)}, from {figure(shift.a, trend.unit)} to {figure(shift.b, trend.unit)}, p {shift.p:.2g}"
    )


def changed(shift: Shift) -> str:
    """In what the two runs differ."""
    if not shift.changed:
        return "in no setting, version or fact of the machine do the two runs differ"
    named = ", ".join(f"{it.key} ({it.a}, {it.b})" for it in shift.changed[:NAMED])
    more = len(shift.changed) - NAMED
    return f"the two runs differ in {named}" + (f" and {more} more" if more > 0 else "")


def amount(trend: Trend, shift: Shift) -> str:
    """By how much, with its interval."""
    between = shift.low is not None and shift.high is not None
    if shift.scale == "ratio":
        return f"{shift.value:.3g} times" + (f" ({shift.low:.3g} to {shift.high:.3g})" if between else "")
    sign = "+" if shift.value > 0 else ""
    interval = f" ({figure(shift.low, trend.unit)} to {figure(shift.high, trend.unit)})" if between else ""
    return f"{sign}{figure(shift.value, trend.unit)}{interval}"


def _short(run: str) -> str:
    return run.rpartition("/")[2]


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
