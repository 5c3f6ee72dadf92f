"""A history as one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from idcbench.errors import RunError
from idcbench.runs.trends import History

from . import history_words
from .html import environment
from .trend import trend_chart


def write_history(history: History, file: Path) -> Path:
    """Write the page to ``file``; returns it. Raises :class:`~idcbench.errors.RunError` when it cannot be written."""
    try:
        file.write_text(render_history(history), encoding="utf-8")
    except OSError as error:
        raise RunError(f"{file}: cannot be written: {error.strerror}; name another file: --html") from error
    return file


def render_history(history: History) -> str:
    """The whole page: a chart for each metric, those that changed first and open."""
    return (
        environment()
        .get_template("history.html")
        .render(it=history, words=history_words, chart=lambda trend: Markup(trend_chart(trend)))
    )
