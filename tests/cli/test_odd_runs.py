"""Run directories that are damaged, foreign or strange, through every command that reads several: never a traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from idcbench.cli.main import BUG, USAGE, main
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import TestCounts, Validity

COMMANDS = (
    ["compare", "1", "2", "--fail", "m:value:5%"],
    ["compare", "2", "1", "--markdown"],
    ["compare", "1", "2", "--junit", "x.xml", "--csv"],
    *(["history", form] for form in ("--json", "--markdown", "--html=x.html")),
    ["report", "2", "--no-open"],
    ["list"],
    ["prune", "--keep", "1", "--dry-run"],
    *(["export", "2", "--format", form] for form in ("csv", "openmetrics", "pytest-benchmark")),
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".idcbench"


def made(root: Path, *values: float, name: str = "m", facts: dict[str, Any] | None = None, **about: Any) -> Run:
    run = create_run(root, target_id="embedded")
    run.series(name, unit="ms", better="lower", repetition=True, **about).add_many(values or [1.0, 2.0], 0)
    run.finish(tests=TestCounts(), checks=(), facts=facts or {}, options={}, validity=Validity())
    return run


def header(run: Run, **changed: Any) -> None:
    """Write another header in front of the same records."""
    path = next(run.path.glob("samples/*"))
    line, _, records = path.read_bytes().partition(b"\n")
    path.write_bytes(json.dumps(json.loads(line) | changed).encode() + b"\n" + records)


def fields(kind: str, name: str = "value") -> Callable[[Run], None]:
    return lambda run: header(run, fields=[["at_ns", "<i8", 0], [name, kind, 8]])


def document(content: bytes) -> Callable[[Run], object]:
    return lambda run: (run.path / "run.json").write_bytes(content)


def facts(**told: Any) -> Callable[[Run], object]:
    def change(run: Run) -> None:
        path = run.path / "run.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"facts": told}))

    return change


def timeline(content: bytes) -> Callable[[Run], object]:
    return lambda run: (run.path / "timeline.jsonl").write_bytes(content)


ODD: dict[str, Callable[[Run], object]] = {
    "objects in records": fields("O"),
    "an unknown type": fields("zzz"),
    "another field": fields("<f8", "what"),
    "no width": lambda run: header(run, record_bytes=0),
    "a huge width": lambda run: header(run, record_bytes=10**19),
    "a document that is no text": document(b"\xff\xfe{}"),
    "a document that is deep": document(b"[" * 100_000),
    "a document that is empty": document(b""),
    "facts of the cluster as a list": facts(cluster=[1]),
    "facts of the cluster as a text": facts(cluster="x"),
    "a pairing as a text": facts(ab="x"),
    "a pairing without its id": facts(ab={"key": "a", "value": "b"}),
    "times that are none": document(b'{"schema":1,"target":"embedded","number":2,"name":"run","started":"x",'
                                    b'"ended":"y","clocks":{"started":{"realtime_ns":1,"monotonic_ns":1,"boottime_ns":1}}}'),
    "samples that are missing": lambda run: shutil.rmtree(run.path / "samples"),
    "a timeline that is no text": timeline(b"\xff\n[\n"),
    "a timeline that is a folder": lambda run: (run.path / "timeline.jsonl").mkdir(),
    "a round that comes twice": timeline(
        b"".join(b'{"at_ns":%d,"what":"round-%b","number":1}\n' % (at, what)
                 for at, what in enumerate((b"began", b"ended", b"began", b"ended")))
    ),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_what_is_odd_is_told_in_a_line(odd: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(root)
    ODD[odd](made(root))
    for command in COMMANDS:
        assert main(command) != BUG, command
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["/etc/1", "//1", "/nosuch/0001", "*/1", "x" * 5000, "¹", "-"])
def test_names_that_no_run_has(name: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(root)
    assert main(["compare", "1", "--", name]) == USAGE
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize(("a", "b"), [(1e-300, 1e300), (1e300, 1e-300), (1.7e308, 5.0), (5e-324, 1.0), (1.0, 1e290)])
def test_values_at_the_ends_of_what_a_number_can_be(a: float, b: float, root: Path) -> None:
    for value in (a, b):
        made(root, *([value] * 8))
    for form in (["--markdown"], ["--json"], ["--html", "x.html"], ["--all"]):
        assert main(["compare", "1", "2", *form]) == 0


def test_a_limit_that_cannot_be_judged_is_not_met(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = made(root, *([1.0] * 8))
    made(root, *([1.0] * 8))
    path = next(run.path.glob("samples/*"))
    path.write_bytes(path.read_bytes().partition(b"\n")[0] + b"\n")
    assert main(["compare", "1", "2", "--fail", "m:value:5%"]) == 1
    assert "fail: m cannot be judged: it has no samples" in capsys.readouterr().err
    assert main(["compare", "1", "2", "--fail", "value:5%"]) == 1
    assert "fail: no value can be judged, for one: m has no samples" in capsys.readouterr().err


def test_an_outage_that_a_has_at_times_does_not_disarm_the_limit(root: Path) -> None:
    made(root, 0.0, *([1.0] * 7))
    made(root, *([1000.0] * 8))
    assert main(["compare", "1", "2", "--fail", "m:value:100%"]) == 1


def test_infinity_in_a_file_costs_its_metric_not_the_run(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = create_run(root, target_id="embedded")
    series = run.series("m", unit="ms", better="lower")
    series.add_many([1.0] * 20)
    with series.path.open("r+b") as file:
        file.seek(-8, 2)
        file.write(np.float64(np.inf).tobytes())
    run.finish(tests=TestCounts(), checks=(), facts={}, options={}, validity=Validity())
    assert run.document().invalid_because
    assert main(["export", "1", "--format", "pytest-benchmark"]) == 1
    assert "is damaged and its metric is missing" in capsys.readouterr().err


def test_openmetrics_names_never_clash(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = create_run(root, target_id="embedded")
    for name, unit in (("a.b", "ms"), ("a.c", "ms"), ("a_b", "ms"), ("y", ""), ("y.count", "")):
        for labels in ({"a.b": "1", "a_b": "2", "9a": "3", "run": "4", "ü": "5", "ö": "6"}, {}):
            run.series(name, unit=unit, better="none", labels=labels).add(1.0)
    run.finish(tests=TestCounts(), checks=(), facts={}, options={}, validity=Validity())
    assert main(["export", "1", "--format", "openmetrics"]) == 0
    families = list(text_string_to_metric_families(capsys.readouterr().out))
    names = [family.name for family in families]
    assert len(names) == len(set(names)) == 5
    samples = [(one.name, tuple(sorted(one.labels.items()))) for family in families for one in family.samples]
    assert len(samples) == len(set(samples)) == 5 * 2 * 2


def test_a_symlinked_run_goes_as_a_link_and_latest_stays(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for _ in range(4):
        made(root)
    first, second = root / "embedded" / "0001_run", root / "embedded" / "0002_run"
    first.rename(elsewhere)
    first.symlink_to(elsewhere)
    (root / "embedded" / "latest").unlink()
    (root / "embedded" / "latest").symlink_to(second.name)
    assert main(["prune", "--keep", "1"]) == 0
    assert elsewhere.exists()
    assert not first.is_symlink()
    assert sorted(path.name for path in (root / "embedded").iterdir()) == ["0002_run", "0004_run", "latest"]


def test_where_latest_leads_nowhere_the_newest_is_taken(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(root)
    (root / "embedded" / "latest").unlink()
    (root / "embedded" / "latest").symlink_to("gone")
    assert main(["export", "--format", "csv"]) == 0
    assert "m,,ms" in capsys.readouterr().out
