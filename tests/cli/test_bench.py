"""``idcbench bench scheduler``: what is refused before anything starts, and a small run from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from idcbench.cli.bench import bench
from idcbench.errors import UsageError
from idcbench.runs.directory import open_run


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--row", "fast"], "--row fast: there is no such row; there are basic-500"),
        (["--rounds", "0"], "--rounds 0"),
        (["--scale", "0"], "--scale"),
        (["--scheduler", "mine"], "--scheduler mine: wanted kube-scheduler, idcbench or NAME=COMMAND"),
        (["--scheduler", "a=x", "--scheduler", "a=y"], "two have the same name"),
        (["--scheduler", "a='x"], '--scheduler "a=\'x": the command cannot be taken apart: No closing quotation'),
        (["--scheduler", "../a=sh"], "wanted NAME=COMMAND"),
        (["--scheduler", "a=/none/x"], "--scheduler a=/none/x: a program that can be run is wanted; found /none/x"),
        (["--json", "/none/raw.json"], "--json /none/raw.json: a file in a folder that is there and can be written"),
        (["--json", "/"], "--json /: a file in a folder that is there"),
        (["--scale", "nan"], "--scale"),
        (["--arrivals", "--arrival-seconds", "-1"], "--arrival-seconds -1: 1 to 3600 are wanted"),
    ],
)
def test_what_cannot_be_meant_starts_nothing(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(bench, ["scheduler", *arguments])
    assert isinstance(result.exception, UsageError)
    assert says in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_a_small_run_against_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["--row", "basic-500", "--scale", "0.01", "--rounds", "2", "--against", "memory"]
    result = CliRunner().invoke(
        bench, ["scheduler", *arguments, "--scheduler", "kube-scheduler", "--json", "raw.json"], catch_exceptions=False
    )
    assert result.exit_code in (0, 7)  # the machine of the tests may be busy
    assert "this takes about" in result.stderr
    assert "SCALE 0.01" in result.stdout
    assert "in-memory API server (not Kubernetes' own; JSON)" in result.stdout
    raw = json.loads((tmp_path / "raw.json").read_text())
    assert [one["bound"] for one in raw["rounds"]] == [100, 100]
    assert {one["kind"] for one in raw["ceilings"]} == {"B", "BE"}
    run = open_run(tmp_path / ".idcbench/embedded/latest")
    metrics = {metric.name: metric for metric in run.document().metrics}
    assert metrics["scheduler-throughput"].n == 2
    assert metrics["scheduler-throughput"].labels["scale"] == "0.01"
    assert not list(run.path.glob("memory-*"))
