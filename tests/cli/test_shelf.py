"""``idcbench list | prune | export``, and that other tools read what is written."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from idcbench.cli.main import USAGE, main
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import TestCounts, Validity


def made(root: Path, *, target: str = "embedded", ended: bool = True) -> Run:
    run = create_run(root, target_id=target)
    for verb in ("GET", 'a "quoted";one'):
        run.series("api.latency", unit="ms", better="lower", labels={"verb": verb}, definition="x\ny").add_many(
            [1.0 + number / 1000 for number in range(400)]
        )
    run.series("pods.rate", unit="pods/s", better="higher").add(500.0)
    if ended:
        run.finish(tests=TestCounts(passed=3), checks=(), facts={}, options={}, validity=Validity())
    return run


@pytest.fixture
def root(tmp_path: Path) -> list[str]:
    """Three runs on one target, the second unfinished, and one on another; as an option."""
    for ended in (True, False, True):
        made(tmp_path, ended=ended)
    made(tmp_path, target="kind")
    return ["--root", str(tmp_path)]


def test_runs_are_listed_with_what_is_wrong_with_them(
    root: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kind" / "0001_run" / "run.json").write_text("{")
    assert main(["list", *root]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[0] for line in lines] == [*(f"embedded/000{n}_run" for n in (1, 2, 3)), "kind/0001_run"]
    assert "Passed" in lines[0]
    assert "Unreadable" in lines[3]
    assert main(["list", "embedded", "--json", *root]) == 0
    assert [row["metrics"] for row in json.loads(capsys.readouterr().out)] == [3, 0, 3]
    assert main(["list", "nothing", *root]) == USAGE
    assert "nothing: no such target" in capsys.readouterr().err
    assert main(["list", "--root", str(tmp_path / "none")]) == 0


def test_the_newest_stay_and_so_does_what_may_go_on(
    root: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prune", "--keep", "1", "--dry-run", *root]) == 0
    assert "would delete" in capsys.readouterr().out
    assert main(["prune", "--keep", "1", *root]) == 0
    assert sorted(path.name for path in (tmp_path / "embedded").iterdir()) == ["0002_run", "0003_run", "latest"]
    assert (tmp_path / "embedded" / "latest" / "run.json").exists()
    assert (tmp_path / "kind" / "0001_run").exists()
    capsys.readouterr()
    assert main(["prune", "--keep", "1", *root]) == 0
    assert capsys.readouterr().out == "nothing to delete\n"
    assert main(["prune", "--keep", "0", *root]) == USAGE


def test_a_deletion_that_was_cut_off_is_finished_by_the_next(root: list[str], tmp_path: Path) -> None:
    aside = tmp_path / "embedded" / ".0001_run.gone"
    aside.mkdir()
    (aside / "left").touch()
    assert main(["prune", "--keep", "1", *root]) == 0
    assert not aside.exists()


def test_every_sample_is_in_the_csv(root: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "embedded/1", "--format", "csv", *root]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 801
    assert float(rows[399]["value"]) == 1.399
    assert {row["labels"] for row in rows} == {"", "verb=GET", 'verb=a "quoted";one'}


def test_openmetrics_is_read_by_its_own_parser(root: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "embedded/1", "--format", "openmetrics", *root]) == 0
    families = {one.name: one for one in text_string_to_metric_families(capsys.readouterr().out)}
    latency = families["idcbench_api_latency_milliseconds"]
    assert latency.unit == "milliseconds"
    found = {(one.labels["verb"], one.labels.get("quantile")): one.value for one in latency.samples}
    assert found["GET", "0.99"] == pytest.approx(1.395, abs=1e-3)
    assert found['a "quoted";one', None] == 400
    assert "idcbench_pods_rate_pods_s" in families


def test_pytest_benchmark_compares_it(root: list[str], tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.json" for number in (1, 3)]
    for number, file in zip((1, 3), files, strict=True):
        form = ["--format", "pytest-benchmark", "--output", str(file)]
        assert main(["export", f"embedded/{number}", *form, *root]) == 0
    command = [sys.executable, "-m", "pytest_benchmark", "compare", *map(str, files)]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("api.latency[GET]") == 2
    assert "pods.rate" not in said.stdout  # it compares times


def test_parquet_holds_every_sample_with_its_type(root: list[str], tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    assert main(["export", "embedded/1", "--format", "parquet", "--output", str(file), *root]) == 0
    table = pq.read_table(file)
    assert table.num_rows == 801
    assert dict(table.schema.metadata)[b"idcbench.run"] == b"embedded/0001_run"
    first, last = table.slice(0, 1).to_pylist()[0], table.slice(800, 1).to_pylist()[0]
    assert (first["metric"], dict(first["labels"]), first["better"]) == (
        "api.latency", {"verb": "GET"}, "lower",
    )  # fmt: skip
    assert (last["metric"], last["labels"], last["value"]) == ("pods.rate", [], 500.0)
    assert isinstance(last["at_ns"], int)
    assert [path.name for path in tmp_path.glob(".*parquet*")] == []


def test_parquet_without_pyarrow_or_a_file_says_what_to_type(
    root: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export = ["export", "embedded/1", "--format", "parquet", *root]
    assert main(export) == USAGE
    assert "name a file: --output FILE" in capsys.readouterr().err
    assert main([*export, "--output", str(tmp_path / "none" / "x")]) == USAGE
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main([*export, "--output", str(tmp_path / "x")]) == USAGE
    assert "pip install 'idcbench[parquet]'" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_place_that_cannot_be_written(root: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = str(tmp_path / "none" / "x.csv")
    assert main(["export", "kind/1", "--format", "csv", "--output", output, *root]) == USAGE
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
