"""A comparison for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from idcbench.runs.comparison import Comparison, Difference

from .balance import groups
from .comparing_words import DIFFERENT, remarks, sentence, side, table
from .markdown import bullets, cells, escaped
from .terminal import render_table

HEADLINES = "Headlines (no false one among them: Holm)"
EXPLORATORY = "Exploratory (of the differences found, 5 % may be false: Benjamini and Hochberg)"


def render_comparison_terminal(comparison: Comparison, *, all_rows: bool = False) -> str:
    """Verdict, warnings, headlines, and of the others those that differ, or ``all_rows``."""
    parts = [side("A", comparison.a, comparison.key), side("B", comparison.b, comparison.key), sentence(comparison)]
    for group in groups(comparison):
        parts += [group.title] if group.title else []
        parts += [f"  {told}" for told in group.told]
    parts += [f"  {remark}" for remark in remarks(comparison)]
    parts += [f"  caution: {warning}" for warning in comparison.warnings]
    if comparison.changed:
        parts.append("  they also differ in " + ", ".join(f"{it.key} ({it.a}, {it.b})" for it in comparison.changed))
    shown, left = _shown(comparison.exploratory, all_rows=all_rows)
    for title, rows in ((HEADLINES, comparison.headlines), (EXPLORATORY, shown)):
        if rows:
            parts.append(f"\n{title}\n{render_table(table(title, rows))}")
    if left:
        parts.append(f"\n{left} exploratory comparisons that do not differ are left out (--all shows them)")
    return "\n".join(parts) + "\n"


def render_comparison_markdown(comparison: Comparison) -> str:
    """The same as GitHub's Markdown; what does not differ is folded."""
    sides = bullets([escaped(side(letter, one, comparison.key)) for letter, one in
                     (("A", comparison.a), ("B", comparison.b))])  # fmt: skip
    parts = [f"# {sentence(comparison)}", sides]
    for group in groups(comparison):
        parts += [f"**{escaped(group.title)}**"] if group.title else []
        parts.append(bullets([escaped(told) for told in group.told]))
    parts.append(bullets([escaped(remark) for remark in remarks(comparison)]))
    if comparison.warnings:
        parts.append("What this does not say:\n\n" + bullets([escaped(warning) for warning in comparison.warnings]))
    if comparison.changed:
        changed = [f"{escaped(it.key)}: {escaped(it.a)}, {escaped(it.b)}" for it in comparison.changed]
        parts.append("The runs also differ in:\n\n" + bullets(changed))
    if comparison.headlines:
        parts.append(f"## {HEADLINES}\n\n{cells(table(HEADLINES, comparison.headlines))}")
    shown, left = _shown(comparison.exploratory, all_rows=False)
    if shown:
        parts.append(f"## {EXPLORATORY}\n\n{cells(table(EXPLORATORY, shown))}")
    if left:
        rest = [one for one in comparison.exploratory if one.word not in DIFFERENT]
        parts.append(f"<details><summary>{left} that do not differ</summary>\n\n{cells(table('', rest))}\n\n</details>")
    return "\n\n".join(part for part in parts if part) + "\n"


def _shown(differences: Sequence[Difference], *, all_rows: bool) -> tuple[list[Difference], int]:
    """Those to show, and how many are left out."""
    shown = [one for one in differences if all_rows or one.word in DIFFERENT]
    return shown, len(differences) - len(shown)
