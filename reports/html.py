"""The report as one HTML file that needs nothing else: no network, both colour schemes; a script only sorts tables."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from idcbench.runs.comparison import LETTERS

from . import bars, checklist
from .axes import class_of
from .boxes import boxes
from .charts import outage_timeline, timeline_in_words
from .ecdf import ecdf
from .faultrows import labels_text, variant_text
from .faults import Repetition
from .figures import duration, figure, spread
from .glossary import anchor, glossary
from .growth import Growing, growth_chart
from .model import Group, Report

TEMPLATES = Path(__file__).parent / "templates"
LARGEST_BYTES = 500_000
_DRAWN = ((60, 100), (30, 60), (15, 30), (8, 20), (4, 10), (2, 5), (1, 2), (0, 0))
"""How many timelines are drawn per fault, and of how many metrics the curves: as many as fit; the longest outages and
the first metrics first."""
_EXCERPT = 1500


def render_html(report: Report) -> str:
    """The whole page, below :data:`LARGEST_BYTES`: of many repetitions those with the longest outages are drawn."""
    page = ""
    terms = glossary((it.name, it.definition, "", it.samples) for it in report.document.metrics)
    known = {term.name for term in terms}
    for drawn, curves in _DRAWN:
        page = environment().get_template("report.html").render(
            report=report, drawn=drawn, curves=curves, run=report.document, terms=terms, known=known,
            group_charts=_group_charts, growth_chart=_growth_chart,
        )  # fmt: skip
        if len(page.encode()) < LARGEST_BYTES:
            break
    return page


def _group_charts(group: Group) -> Markup:
    """The distributions of the first series of a group, and their outliers."""
    chosen = [it for it in group.measured if it.metric.n][: len(LETTERS)]
    sides = [(letter, it.values) for letter, it in zip(LETTERS, chosen, strict=False)]
    named = [(class_of(letter), labels_text(it.metric.labels) or "all", it.metric.samples)
             for letter, it in zip(LETTERS, chosen, strict=False)]  # fmt: skip
    drawn = (("Distribution", ecdf(sides, unit=group.unit)), ("Spread and outliers", boxes(sides, unit=group.unit)))
    left_out = sum(1 for it in group.measured if it.metric.n) - len(chosen)
    template = environment().get_template("group.html")
    charts = [(title, Markup(chart)) for title, chart in drawn]
    return Markup(template.render(name=group.name, letters=LETTERS, named=named, charts=charts, left_out=left_out))


def _growth_chart(one: Growing) -> Markup:
    return Markup(growth_chart([("A", one.growth)], unit=one.unit))


def page_script(file: str) -> dict[str, Any]:
    """What ``page.html`` needs of the one script that a page may run: its text, and the digest for its policy."""
    script = (TEMPLATES / file).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"script": Markup(script), "script_digest": Markup(f"sha256-{digest}")}


@cache
def environment() -> Environment:
    """Templates, with the filters and functions that they share."""
    shared = Environment(
        loader=FileSystemLoader(TEMPLATES),
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
        "anchor": anchor,
    }
    shared.globals |= page_script("sort.js") | {
        "style": Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
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
