"""The live line of the display, by rich: a bar where the amount is known, and what the step says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .step import Step

BAR_WIDTH = 20


def live_line(stream: TextIO, step: Callable[[], Step | None]) -> Live:
    """A line on ``stream`` that shows ``step()`` four times a second, and is gone when it is stopped."""
    return Live(
        console=Console(file=stream),
        get_renderable=lambda: drawn(step()),
        refresh_per_second=4,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def drawn(step: Step | None) -> RenderableType:
    """One line; nothing for ``None``."""
    if step is None:
        return Text("")
    row = Table.grid(padding=(0, 1))
    cells: list[RenderableType] = [Text(step.line(time.monotonic()), no_wrap=True, overflow="ellipsis")]
    if step.total:
        cells.insert(0, ProgressBar(total=step.total, completed=min(step.done, step.total), width=BAR_WIDTH))
    row.add_row(*cells)
    return row
