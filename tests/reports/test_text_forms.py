"""Markdown, terminal, JSON, and the command that writes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from idcbench.cli.report import report as command
from idcbench.errors import RunError
from idcbench.reports.export import render_json
from idcbench.reports.markdown import render_markdown
from idcbench.reports.model import Report
from idcbench.reports.terminal import render_terminal
from idcbench.runs.directory import Run
from idcbench.runs.schema import RunDocument

STATES = ("passed", "failed", "invalid", "interrupted", "cut-off")


@pytest.mark.parametrize("state", STATES)
def test_markdown_has_tables_of_one_width(reports: dict[str, Report], state: str) -> None:
    text = render_markdown(reports[state])
    assert text.startswith(f"# {reports[state].verdict.word}: embedded/")
    blocks = [block.splitlines() for block in text.split("\n\n")]
    tables = [block for block in blocks if block[0].startswith("|")]
    assert tables
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table}) == 1


def test_markdown_escapes_what_would_be_markup(reports: dict[str, Report]) -> None:
    assert "probe\\_lag\\_p99" in render_markdown(reports["passed"])


def test_the_terminal_says_verdict_failures_and_outages(reports: dict[str, Report]) -> None:
    text = render_terminal(reports["failed"])
    assert text.startswith("Failed: embedded/0002_failed. ")
    assert "failed: A headless Service has no cluster IP (functional/test_networking.py::test_1)" in text
    assert "skipped 2: needs real-pods" in text
    assert "Cluster ready: 8.41 s (3 control planes, 50 nodes)" in text
    assert max(map(len, text.splitlines())) < 180
    assert "figures are invalid: the probe's start lag" in render_terminal(reports["invalid"])


@pytest.mark.parametrize("state", STATES)
def test_json_holds_the_run_and_the_verdict(reports: dict[str, Report], state: str) -> None:
    said = json.loads(render_json(reports[state]))
    assert said["verdict"]["word"] == reports[state].verdict.word
    assert said["run"]["name"] == state
    silent = next(it for it in said["faults"] if it["fault"] == "host-loss-silent")
    assert len(silent["repetitions"]) == 3
    assert silent["repetitions"][0]["streams"][0]["outage"]["outage_ms"] > 1000


@pytest.fixture
def root(runs: dict[str, Run]) -> Path:
    return runs["passed"].path.parents[1]


def run_command(root: Path, *arguments: str) -> str:
    result = CliRunner().invoke(command, [*arguments, "--root", str(root)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_writes_into_the_run_and_prints_where(root: Path) -> None:
    path = Path(run_command(root, "embedded/1").strip())
    assert path == root / "embedded" / "0001_passed" / "report.html"
    assert path.read_text().startswith("<!DOCTYPE html>")


def test_the_command_writes_elsewhere(root: Path, tmp_path: Path) -> None:
    assert run_command(root, "1", "--html", str(tmp_path / "x.html")).strip() == str(tmp_path / "x.html")
    with pytest.raises(RunError, match=r"the report cannot be written: .*; name another file: --html"):
        run_command(root, "1", "--html", str(tmp_path / "no" / "x.html"))


@pytest.mark.parametrize(("form", "begins"), [("--markdown", "# Failed"), ("--text", "Failed:"), ("--json", "{")])
def test_the_command_prints_other_forms(root: Path, form: str, begins: str) -> None:
    assert run_command(root, "2", form).startswith(begins)


def test_json_of_the_run_is_run_json(root: Path, runs: dict[str, Run]) -> None:
    said = json.loads(run_command(root, "1", "--json"))["run"]
    assert said == json.loads((runs["passed"].path / "run.json").read_text())
    assert set(said) == set(RunDocument.__struct_fields__)


def test_the_browser_opens_only_for_a_person(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    run_command(root, "1")
    assert opened == []  # the runner's output is no terminal
    monkeypatch.setattr("idcbench.cli.report._has_display", lambda: True)
    run_command(root, "1", "--no-open")
    assert opened == []
    run_command(root, "1")
    assert opened == [(root / "embedded" / "0001_passed" / "report.html").as_uri()]
