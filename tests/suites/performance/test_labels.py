"""What `--ab` can vary is a fact of a run, never a label: with it two sides would have no metric in common."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import idcbench.suites
from idcbench.options import OPTIONS

FILES = sorted(Path(next(iter(idcbench.suites.__path__))).glob("*/*.py"))
VARIED = {"members", *(name for option in OPTIONS if option.cluster for name in (option.name, option.dest))}
COUNTED = {"nodes"}
"""They are counted, and are the same on both sides; where --ab varies them, another thing is measured."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_label_says_what_the_run_says(file: Path) -> None:
    labels = re.findall(r'"([\w-]+)": (?:str\(|f")[^,}]*facts\.', file.read_text())
    assert not set(labels) & (VARIED - COUNTED)
