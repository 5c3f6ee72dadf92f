"""``idcbench compare``: what it prints, and when it fails."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from idcbench.cli.main import USAGE, main
from idcbench.reports.comparing_tools import comparison_junit
from idcbench.runs.comparison import Comparison, Difference, Side, json_schema
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import TestCounts, Validity

SCHEMA = Path(__file__).parents[2] / "docs" / "comparison.schema.json"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    """Makes a run of ten rounds whose p50 is about ``middle`` ms, of two metrics, one of them a headline."""

    def made(middle: float, *, seed: int, valid: bool = True) -> Run:
        made = create_run(tmp_path / ".idcbench", target_id="embedded")
        draw = np.random.default_rng(seed)
        for number in range(10):
            at = range(number * 1000, number * 1000 + 400)
            made.happened("round-began", at_ns=at[0], number=number)
            made.series("api.latency", unit="ms", better="lower", headline=True, labels={"verb": "<GET>"}).add_many(
                middle * draw.lognormal(0, 0.1, 400), at
            )
            made.series("pods.rate", unit="pods/s", better="higher").add_many(1000 / middle * np.ones(400), at)
            made.happened("round-ended", at_ns=at[-1], number=number)
        validity = Validity(valid=valid, reasons=() if valid else ("it was late",))
        made.finish(tests=TestCounts(), checks=(), facts={}, options={"nodes": int(middle)}, validity=validity)
        return made

    return made


@pytest.fixture
def two(run: Callable[..., Run]) -> list[str]:
    return [str(run(10, seed=1).path), str(run(20, seed=2).path)]


def test_the_terminal_says_what_is_worse_and_how_sure(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *two]) == 0
    said = capsys.readouterr().out
    assert "A: embedded/0001_run\nB: embedded/0002_run\nB is worse in 2 of 2 headline comparisons.\n" in said
    assert "api.latency{verb=<GET>} p50 is worse: 2" in said
    assert "caution: the runs were not interleaved" in said
    assert "they also differ in options.nodes (10, 20)" in said
    assert "1 exploratory comparisons that do not differ" not in said


@pytest.mark.usefixtures("two")
def test_runs_are_found_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "2", "1", "--all"]) == 0
    assert "B is better in 2 of 2 headline comparisons" in capsys.readouterr().out
    assert main(["compare", "1", "3"]) == USAGE
    assert "3: no such run; there are embedded/0001_run, embedded/0002_run" in capsys.readouterr().err


def test_json_is_the_record_and_its_schema_is_published(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *two, "--json"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out, type=Comparison)
    assert [one.word for one in found.headlines] == ["worse", "worse"]
    assert json.loads(SCHEMA.read_text()) == json.loads(json.dumps(json_schema())), "see docs/compare.md"


def test_markdown_holds_nothing_that_breaks_a_table(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *two, "--markdown"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("# B is worse in 2 of 2 headline comparisons.\n")
    assert "\\<GET\\>" in said
    widths = {line.replace("\\|", "").count("|") for line in said.splitlines() if line.startswith("|")}
    assert widths == {9}


def test_the_page_is_whole_and_needs_nothing_else(two: list[str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["compare", *two, "--html", str(page)]) == 0
    text = page.read_text()
    assert "&lt;GET&gt;" in text
    assert "<GET>" not in text
    assert "http" not in text.replace("http-equiv", "")
    opened: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - its signature
            if tag not in ("meta", "br"):
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Balance().feed(text)
    assert opened == []
    assert text.count('class="curve side-a"') == 2  # of each metric that is drawn
    assert main(["compare", *two, "--html", str(tmp_path / "none" / "x.html")]) == USAGE


@pytest.mark.parametrize(
    ("limits", "code", "said"),
    [
        (["p99:10%"], 1, "fail: api.latency{verb=<GET>} p99 is worse by more than 0.1 of A's: 2"),
        (["api.latency:p50:50%"], 1, "p50 is worse by more than 0.5 of A's"),
        (["api.latency:p50:150%"], 0, ""),
        (["nothing:p50:10%"], USAGE, "--fail: no p50 of nothing is in both runs"),
        (["p98:10%"], USAGE, "'p98:10%': such as p99:10% or failover.write_outage:value:20% is wanted"),
    ],
)
def test_limits(
    two: list[str], limits: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert main(["compare", *two, *(f"--fail={limit}" for limit in limits)]) == code
    assert said in capsys.readouterr().err


def test_an_invalid_run_never_passes_a_limit(run: Callable[..., Run], capsys: pytest.CaptureFixture[str]) -> None:
    pair = [str(run(10, seed=1).path), str(run(10, seed=2, valid=False).path)]
    assert main(["compare", *pair]) == 0
    assert main(["compare", *pair, "--fail", "p99:10%"]) == 1
    assert "fail: embedded/0002_run is invalid" in capsys.readouterr().err


def test_csv_has_a_line_for_each_comparison(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *two, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["metric"], row["quantile"], row["headline"]) for row in rows[:2]] == [
        ("api.latency", "p50", "true"), ("api.latency", "p99", "true"),
    ]  # fmt: skip
    assert float(rows[0]["low"]) < float(rows[0]["value"]) < float(rows[0]["high"])
    assert {row["word"] for row in rows} == {"worse"}


def test_junit_fails_where_b_is_worse(two: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.xml"
    assert main(["compare", *two, "--junit", str(file)]) == 0
    assert "B is worse in 2 of 2 headline comparisons" in capsys.readouterr().out
    suite = ElementTree.parse(file).getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("6", "4", "0")
    case = next(one for one in suite.iter("testcase") if one.get("classname") == "idcbench.compare.headline")
    assert case.get("name") == "api.latency{verb=<GET>} p50"
    assert str(case[0].get("message")).startswith("worse: 2")
    assert main(["compare", *two, "--junit", str(tmp_path / "none" / "x.xml")]) == USAGE
    assert "name another file: --junit" in capsys.readouterr().err


def test_junit_skips_what_cannot_be_told_and_fails_an_invalid_run() -> None:
    few = Difference(
        name="m", labels={"x": "\x00"}, unit="ms", better="lower", quantile="p50", kind="rounds", rounds=(1, 1),
        samples=(0, 0), word="insufficient", why="has no samples",
    )  # fmt: skip
    told = msgspec.structs.replace(few, word="cannot tell", value=1.1, p_corrected=0.5, more_rounds=7)
    sides = [Side(id=f"e/{n}", path="", started="", invalid_because=("late",) if n == "2" else ()) for n in "12"]
    comparison = Comparison(a=sides[0], b=sides[1], minimum_effect=0.05, differences=(few, told))
    suite = ElementTree.fromstring(comparison_junit(comparison))[0]
    assert [one.get("message") for one in suite.iter("skipped")] == [
        "insufficient: has no samples", "cannot tell: 7 more rounds would tell",
    ]  # fmt: skip
    failed = [one for one in suite.iter("testcase") if one.find("failure") is not None]
    assert [(one.get("name"), one[0].get("message")) for one in failed] == [("e/2 is valid", "late")]


@pytest.mark.parametrize("share", ["5", "0%", "100%", "-3%", "x"])
def test_a_minimum_effect_is_a_percentage(two: list[str], share: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *two, "--minimum-effect", share]) == USAGE
    assert "a percentage between 0% and 100% is wanted" in capsys.readouterr().err
