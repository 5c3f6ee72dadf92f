"""A comparison for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from idcbench.runs.comparison import Comparison, Difference

from .comparing_words import DIFFERENT, findings, remarks, sentence, side, table
from .markdown import bullets, cells, escaped
from .summary import summary_of
from .terminal import render_table

HEADLINES = "Headlines (no false one among them: Holm)"
EXPLORATORY = "Exploratory (of the differences found, 5 % may be false: Benjamini and Hochberg)"


def render_comparison_terminal(comparison: Comparison, *, all_rows: bool = False) -> str:
    """Verdict, warnings, headlines, and of the others those that differ, or ``all_rows``."""
    parts = [*_sides(comparison), sentence(comparison)]
    parts += [f"  {finding}" for finding in findings(comparison)]
    parts += _bought(comparison)
    parts += [f"  {remark}" for remark in remarks(comparison)]
    parts += [f"  caution: {warning}" for warning in comparison.warnings]
    if comparison.changed:
        parts.append(
            "  they also differ in " + ", ".join(f"{it.key} ({', '.join(it.values)})" for it in comparison.changed)
        )
    shown, left = _shown(comparison.exploratory, all_rows=all_rows)
    for title, rows in ((HEADLINES, comparison.headlines), (EXPLORATORY, shown)):
        if rows:
            parts.append(f"\n{title}\n{render_table(table(title, rows, several=bool(comparison.others)))}")
    if left:
        parts.append(f"\n{left} exploratory comparisons that do not differ are left out (--all shows them)")
    return "\n".join(parts) + "\n"


def render_comparison_markdown(comparison: Comparison) -> str:
    """The same as GitHub's Markdown; what does not differ is folded."""
    several = bool(comparison.others)
    parts = [f"# {sentence(comparison)}", bullets([escaped(line) for line in _sides(comparison)])]
    parts.append(bullets([escaped(finding) for finding in findings(comparison)]))
    parts.append(bullets([escaped(line.strip()) for line in _bought(comparison)]))
    parts.append(bullets([escaped(remark) for remark in remarks(comparison)]))
    if comparison.warnings:
        parts.append("What this does not say:\n\n" + bullets([escaped(warning) for warning in comparison.warnings]))
    if comparison.changed:
        changed = [
            f"{escaped(it.key)}: {', '.join(escaped(value) for value in it.values)}" for it in comparison.changed
        ]
        parts.append("The runs also differ in:\n\n" + bullets(changed))
    if comparison.headlines:
        parts.append(f"## {HEADLINES}\n\n{cells(table(HEADLINES, comparison.headlines, several=several))}")
    shown, left = _shown(comparison.exploratory, all_rows=False)
    if shown:
        parts.append(f"## {EXPLORATORY}\n\n{cells(table(EXPLORATORY, shown, several=several))}")
    if left:
        rest = table("", [one for one in comparison.exploratory if one.word not in DIFFERENT], several=several)
        parts.append(f"<details><summary>{left} that do not differ</summary>\n\n{cells(rest)}\n\n</details>")
    return "\n\n".join(part for part in parts if part) + "\n"


def _sides(comparison: Comparison) -> list[str]:
    return [side(letter, one, comparison.key) for letter, one in comparison.sides.items()]


def _bought(comparison: Comparison) -> list[str]:
    """Where the runs were made to differ: what the setting buys and what it costs."""
    if not comparison.key:
        return []
    told = []
    for one in summary_of(comparison).sides:
        for heading, which in ((one.gained, "gains"), (one.lost, "losses")):
            lines = [f"{subject}: {line}" for subject, line in one.lines(which)] or ["nothing that could be told"]
            told += [f"  {heading}, {line}" for line in lines]
    return told


def _shown(differences: Sequence[Difference], *, all_rows: bool) -> tuple[list[Difference], int]:
    """Those to show, and how many are left out."""
    shown = [one for one in differences if all_rows or one.word in DIFFERENT]
    return shown, len(differences) - len(shown)
