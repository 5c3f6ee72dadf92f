"""``idcbench history``: what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from idcbench.cli.main import USAGE, main
from idcbench.reports.trend import blocks
from idcbench.runs.directory import create_run
from idcbench.runs.schema import TestCounts, Validity
from idcbench.runs.trends import History, json_schema

SCHEMA = Path(__file__).parents[2] / "docs" / "history.schema.json"


@pytest.fixture
def root(tmp_path: Path) -> list[str]:
    """Twelve runs; from the seventh on one metric is half as fast, and the other as it was. As an option."""
    draw = np.random.default_rng(1)
    for number in range(12):
        run = create_run(tmp_path / "runs", target_id="embedded")
        for name, level in (("fell|<b>", 10 * (1 + number // 6)), ("stays", 5.0)):
            series = run.series("api.latency", unit="ms", better="lower", labels={"verb": name}, definition="x & y")
            series.add(level * draw.lognormal(0, 0.02))
        options = {"kubernetes": f"1.3{6 + number // 6}"}
        run.finish(tests=TestCounts(), checks=(), facts={}, options=options, validity=Validity(valid=number != 2))
    return ["--root", str(tmp_path / "runs")]


def test_the_terminal_says_where_by_how_much_and_how_sure(root: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # without an index, and with it
        assert main(["history", *root]) == 0
        said = capsys.readouterr().out
        assert said.startswith("1 of 2 trends over 11 runs changed; 2 have the 10 runs that a change point needs")
        assert "left out: embedded/0003_run: it is invalid" in said
        assert "(verb=fell|<b>) is worse from 0007_run on (before: 0006_run): 2." in said or (
            "is worse from 0007_run on (before: 0006_run): 1.9" in said
        )
        assert "the two runs differ in options.kubernetes (1.36, 1.37)" in said


def test_json_is_the_record_and_its_schema_is_published(root: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "embedded", "--json", *root]) == 0
    found = msgspec.json.decode(capsys.readouterr().out, type=History)
    assert [len(trend.shifts) for trend in found.lines[0].trends] == [1, 0]
    assert json.loads(SCHEMA.read_text()) == json.loads(json.dumps(json_schema())), "see docs/history.md"


def test_markdown_and_the_page_hold_nothing_that_breaks_them(
    root: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", "--markdown", *root]) == 0
    said = capsys.readouterr().out
    assert "fell\\|\\<b\\>" in said
    assert {line.replace("\\|", "").count("|") for line in said.splitlines() if line.startswith("|")} == {7}
    page = tmp_path / "x.html"
    assert main(["history", "--html", str(page), *root]) == 0
    text = page.read_text()
    assert "<b>" not in text
    assert text.count('class="act worse"') == 1
    assert "http" not in text.replace("http-equiv", "")
    assert 'aria-label="11 runs from ' in text


def test_what_is_asked_for_in_vain(root: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for args, told in (
        (["nothing", *root], "nothing: no such target"),
        (["--metric", "x", *root], "--metric x: no usable run has it; there are: api.latency"),
        (["--root", str(tmp_path / "none")], "no run under"),
        (["--json", "--html", "x", *root], "--html and --json exclude each other"),
        (["--last", "0", *root], "--last"),
        (["--html", str(tmp_path / "none" / "x.html"), *root], "name another file: --html"),
    ):
        assert main(["history", *args]) == USAGE
        assert told in capsys.readouterr().err


def test_blocks_show_what_is_least_and_largest() -> None:
    assert blocks([1.0, 8.0, 4.5]) in ("▁█▄", "▁█▅")
    assert blocks([2.0, 2.0]) == "▄▄"
    assert blocks([-1.7e308, 1.7e308]) == "▁█"
    assert len(blocks([float(number) for number in range(100)])) == 24
