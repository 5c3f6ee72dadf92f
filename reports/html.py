"""The report as one HTML file that needs nothing else: no network, no script, both colour schemes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from . import bars, checklist
from .charts import outage_timeline, timeline_in_words
from .faultrows import labels_text, variant_text
from .faults import Repetition
from .figures import duration, figure, spread
from .model import Report

LARGEST_BYTES = 500_000
_TIMELINES = (60, 30, 15, 8, 4, 2, 1, 0)
"""How many timelines are drawn per fault: as many as fit; the longest outages first."""
_EXCERPT = 1500


def render_html(report: Report) -> str:
    """The whole page, below :data:`LARGEST_BYTES`: of many repetitions those with the longest outages are drawn."""
    page = ""
    most = max((len(figures.fault.repetitions) for figures in report.faults), default=0)
    for drawn in [most, *(count for count in _TIMELINES if count < most)]:
        page = environment().get_template("report.html").render(report=report, drawn=drawn, run=report.document)
        if len(page.encode()) < LARGEST_BYTES:
            break
    return page


@cache
def environment() -> Environment:
    """Templates, with the filters and functions that they share."""
    folder = Path(__file__).parent / "templates"
    shared = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shared.filters |= {
        "figure": lambda value, unit: _unbroken(figure(value, unit)),
        "duration": lambda value_ms: _unbroken(duration(value_ms)),
        "title_of": checklist.title,
        "excerpt": _excerpt,
    }
    shared.globals |= {
        "style": Markup((folder / "report.css").read_text(encoding="utf-8")),
        "spread": lambda low, high, unit: _unbroken(spread(low, high, unit)),
        "labels_text": labels_text,
        "variant_text": variant_text,
        "timeline": lambda repetition, name: Markup(outage_timeline(repetition, name=name)),
        "in_words": timeline_in_words,
        "dots": lambda values, **scale: Markup(bars.dots(values, **scale)),
        "axis": lambda **scale: Markup(bars.axis(**scale)),
        "percentile_bar": lambda values, unit: Markup(bars.percentile_bar(values, unit=unit)),
        "caption": _caption,
    }
    return shared


def _unbroken(text: str) -> str:
    """With spaces at which no line is broken: a value stays with its unit."""
    return text.replace(" ", "\u00a0")


def _caption(repetition: Repetition) -> str:
    """What is worth saying about a repetition that its chart does not show."""
    said = []
    if repetition.confirmed_ms is not None:
        said.append(f"An independent observer saw the fault {duration(repetition.confirmed_ms)} after the act.")
    if repetition.deadline_ms is not None:
        said.append(f"A request that misses {duration(repetition.deadline_ms)} has failed.")
    return " ".join(said)


def _excerpt(text: str) -> str:
    """The last whole lines of a long text: pytest says last what went wrong."""
    if len(text) <= _EXCERPT:
        return text
    end = text[-_EXCERPT:]
    return f"…\n{end.partition(chr(10))[2] or end}"
