#!/usr/bin/env python3
"""Writes the table of the functional suite's checks into docs/functional.md.

    .venv/bin/python scripts/functional_checks.py

What a check proves and whether it is negative come from its markers, its sentence from its docstring.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

ROOT = Path(__file__).parent.parent
SUITE = ROOT / "suites" / "functional"
DOCUMENT = ROOT / "docs" / "functional.md"
BEGIN, END = "<!-- checks: written by scripts/functional_checks.py -->", "<!-- end of checks -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One check as the table has it; ``runs`` counts the values that it is run with."""

    name: str
    title: str
    proves: str
    negative: bool
    needs: tuple[str, ...]
    runs: int


def checks(module: ModuleType) -> Iterator[Listed]:
    """The checks of a test module, in the order in which they are written."""
    own = getattr(module, "pytestmark", [])
    outer = list(own) if isinstance(own, list) else [own]
    for name, function in vars(module).items():
        if not (name.startswith("test_") and isinstance(function, FunctionType)):
            continue
        marks = [*getattr(function, "pytestmark", []), *outer]
        said = {key: value for mark in reversed(marks) if mark.name == "idc" for key, value in mark.kwargs.items()}
        runs = 1
        for mark in marks:
            runs *= len(mark.args[1]) if mark.name == "parametrize" else 1
        yield Listed(
            name=name,
            title=(function.__doc__ or "").strip().partition("\n")[0],
            proves=said.get("proves", ""),
            negative=said.get("negative", False),
            needs=tuple(map(str, said.get("needs", ()))),
            runs=runs,
        )


def modules() -> list[ModuleType]:
    """The suite's test modules."""
    return [importlib.import_module(f"idcbench.suites.functional.{path.stem}") for path in sorted(SUITE.glob("test_*"))]


def table() -> str:
    """All checks in Markdown, a section for each file."""
    lines: list[str] = []
    for module in modules():
        name = module.__name__.rpartition(".")[2]
        about = (module.__doc__ or "").strip().partition("\n")[0]
        lines += [f"### {name}.py", "", about, "", "| what a user relies on | proves | |", "|---|---|---|"]
        lines += [f"| {each.title} | {each.proves} | {remarks(each)} |" for each in checks(module)]
        lines.append("")
    return "\n".join(lines)


def remarks(check: Listed) -> str:
    said = ["negative"] if check.negative else []
    said += [f"{check.runs} times"] if check.runs > 1 else []
    said += [f"needs {', '.join(check.needs)}"] if check.needs else []
    return "; ".join(said)


def with_table(document: str) -> str:
    """The document with its table as the checks are now."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text()))
