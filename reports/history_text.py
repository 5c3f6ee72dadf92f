"""A history for a terminal, and as Markdown."""

from __future__ import annotations

from idcbench.runs.trends import History

from .history_words import changed, sentence, settings, title, told, trend_table
from .markdown import bullets, cells, escaped
from .terminal import render_table


def render_history_terminal(history: History) -> str:
    """What changed, then every trend, a table for each line of runs."""
    parts = [sentence(history), *(f"  left out: {it.what}: {it.why}" for it in history.left_out)]
    for line in history.lines:
        parts.append(f"\n{title(line)}\n  all with {settings(line)}")
        for trend in line.trends:
            for shift in trend.shifts:
                parts += [f"  {told(trend, shift)}", f"    {changed(shift)}"]
        if line.trends:
            parts.append(f"\n{render_table(trend_table(line))}")
    return "\n".join(parts) + "\n"


def render_history_markdown(history: History) -> str:
    """The same as GitHub's Markdown."""
    parts = [f"# {escaped(sentence(history))}"]
    if history.left_out:
        parts.append("Left out:\n\n" + bullets([escaped(f"{it.what}: {it.why}") for it in history.left_out]))
    for line in history.lines:
        parts += [f"## {escaped(title(line))}", f"All with {escaped(settings(line))}"]
        if said := [
            escaped(f"{told(trend, shift)}; {changed(shift)}") for trend in line.trends for shift in trend.shifts
        ]:
            parts.append(bullets(said))
        if line.trends:
            parts.append(cells(trend_table(line)))
    return "\n\n".join(parts) + "\n"
