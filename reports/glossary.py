"""What each metric is and where its values lie: what the figures of a page link to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The files of raw values of one metric in ``run`` (empty when there is but one), relative to its directory."""

    run: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A metric's name with its definition, empty when none was recorded."""

    name: str
    definition: str
    files: tuple[Where, ...]


def anchor(name: str) -> str:
    """The id of a metric's definition in a page."""
    return "def-" + re.sub(r"[^A-Za-z0-9_.-]", "-", name)


def glossary(found: Iterable[tuple[str, str, str, str]], *, files_most: int = 100) -> Sequence[Term]:
    """Terms from (name, definition, run, file) of every series, by name; of each run at most ``files_most`` files."""
    terms: dict[str, dict[str, list[str]]] = {}
    said: dict[str, str] = {}
    for name, definition, run, file in found:
        terms.setdefault(name, {}).setdefault(run, []).append(file)
        said[name] = said.get(name) or definition
    once = {anchor(name): name for name in sorted(terms, reverse=True)}
    return [
        Term(
            name=name,
            definition=said[name],
            files=tuple(
                Where(
                    run=run,
                    files=(
                        *files[:files_most],
                        *([f"and {len(files) - files_most} more"] if files[files_most:] else []),
                    ),
                )
                for run, files in terms[name].items()
            ),
        )
        for name in sorted(once.values())
    ]
