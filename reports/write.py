"""The report as a file in the run that it is about."""

from __future__ import annotations

from pathlib import Path

from idcbench.errors import RunError
from idcbench.runs.directory import open_run

from .html import render_html
from .model import report_of

FILE = "report.html"


def write_report(run: Path, to: Path | None = None) -> Path:
    """Write the HTML report of the run directory ``run``, into it unless ``to`` names another file; returns the file.

    Raises :class:`~idcbench.errors.RunError` when the run cannot be read or the file not be written.
    """
    opened = open_run(run)
    file = to or opened.path / FILE
    page = render_html(report_of(opened))
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{file}: the report cannot be written: {error.strerror}; name another file: --html") from error
    return file
