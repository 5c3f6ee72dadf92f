"""The run directory: made once, shared, finished, cut off, read."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from pathlib import Path

import pytest

from idcbench.cluster import ClusterFacts
from idcbench.errors import RunError
from idcbench.runs.directory import Run, create_run, open_run
from idcbench.runs.schema import Check, RunDocument, TestCounts, Validity

FACTS = ClusterFacts(
    target="embedded", name="", kubernetes="1.37.2", etcd="3.7.3", profile="default", shape="full", control_planes=3,
    nodes=50, versions={"kubernetes": "1.37.2"}, digests={"kubernetes": "sha256:ab"},
)  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / ".idcbench"


def finish(run: Run, *checks: Check, **changes: object) -> RunDocument:
    given = {
        "tests": TestCounts.of(checks), "checks": checks, "facts": {"cluster": FACTS}, "options": {"nodes": 50},
        "validity": Validity(),
    }  # fmt: skip
    return run.finish(**given | changes)


def test_runs_are_numbered_per_target_and_latest_follows(root: Path) -> None:
    names = [
        create_run(root, target_id=target, name=name).path.name for target, name in (("a", "x"), ("a", "y"), ("b", "x"))
    ]
    assert names == ["0001_x", "0002_y", "0001_x"]
    assert (root / "a" / "latest").readlink() == Path("0002_y")
    assert (root / ".gitignore").read_text() == "*\n"
    assert open_run(root / "a" / "latest").path == root / "a" / "0002_y"


def test_a_gitignore_that_is_there_stays(root: Path) -> None:
    root.mkdir()
    (root / ".gitignore").write_text("mine\n")
    create_run(root, target_id="a")
    assert (root / ".gitignore").read_text() == "mine\n"


def test_numbers_are_unique_when_processes_ask_at_once(root: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(4) as pool:
        names = pool.map(_create, [(root, number) for number in range(40)])
    assert sorted(int(name[:4]) for name in names) == list(range(1, 41))


def test_finish_computes_the_metrics_and_writes_it_all(root: Path) -> None:
    run = create_run(root, target_id="embedded")
    run.series("cluster.ready", unit="s", better="lower", definition="d").add_many([8.0, 9.0, 10.0])
    run.series("nothing", unit="s", better="lower")
    check = Check(nodeid="a::b", outcome="skipped", reason="needs ha")
    written = finish(run, check, Check(nodeid="a::c", outcome="passed"), options={"file": Path("/x"), "set": {1}})
    document = open_run(run.path).document()
    assert document == written
    assert document.valid
    assert not document.interrupted
    assert document.tests == TestCounts(passed=1, skipped=1, reasons={"needs ha": 1})
    assert document.facts["cluster"]["control_planes"] == 3
    assert (document.versions["kubernetes"], document.digests["kubernetes"]) == ("1.37.2", "sha256:ab")
    assert document.options == {"file": "/x", "set": [1]}
    assert document.clocks.realtime_moved_ms is not None
    ready = json.loads((run.path / "run.json").read_text())["metrics"][0]
    assert (ready["n"], ready["p50"], ready["p95"], ready["ci95"]) == (3, 9.0, None, None)
    assert (run.path / ready["samples"]).exists()
    nothing = document.metrics[1]
    assert (nothing.n, nothing.min, nothing.p50, nothing.max) == (0, None, None, None)


def test_reasons_from_any_process_make_the_run_invalid(root: Path) -> None:
    run = create_run(root, target_id="embedded")
    open_run(run.path).invalidate("the probe was late")
    run.invalidate("the probe was late")
    document = finish(run, validity=Validity(valid=False, reasons=("too few cores",)))
    assert not document.valid
    assert document.invalid_because == ("too few cores", "the probe was late")


def test_a_run_cut_off_in_the_middle_opens_with_what_it_had(root: Path) -> None:
    run = create_run(root, target_id="embedded")
    run.series("cluster.ready", unit="s", better="lower").add(8.4)
    run.happened("fault", fault="host-loss")
    document = open_run(run.path).document()
    assert document.interrupted
    assert not document.valid
    assert "cut off" in document.invalid_because[0]
    assert document.metrics[0].p50 == 8.4


@pytest.mark.parametrize("damage", [b"\x00" * 16, b"", b'{"format":'])
def test_one_damaged_series_does_not_cost_the_rest(root: Path, damage: bytes) -> None:
    run = create_run(root, target_id="embedded")
    run.series("a", unit="s", better="lower").add(1)
    damaged = run.series("b", unit="s", better="lower").path
    damaged.write_bytes(damage)
    assert "b-" in run.document().invalid_because[1]
    document = finish(run)
    assert [metric.name for metric in document.metrics] == ["a"]
    assert not document.valid
    assert f"samples/{damaged.name} is damaged" in document.invalid_because[0]


def test_an_unfinished_document_is_never_half_a_document(root: Path) -> None:
    run = create_run(root, target_id="embedded")
    before = (run.path / "run.json").read_bytes()
    (run.path / ".run.json.77").write_bytes(before[:40])  # as a writer leaves it that is killed
    assert open_run(run.path).document().ended is None


def test_an_interrupted_run_is_marked(root: Path) -> None:
    document = finish(create_run(root, target_id="embedded"), interrupted=True)
    assert (document.interrupted, document.valid) == (True, True)


def test_a_run_goes_to_another_process_by_its_path(root: Path) -> None:
    run = create_run(root, target_id="embedded")
    assert pickle.loads(pickle.dumps(run)).path == run.path


@pytest.mark.parametrize("name", ["", "a/b", "..", "latest", "x" * 101])
def test_a_name_that_is_no_folder_is_refused(root: Path, name: str) -> None:
    with pytest.raises(RunError, match="can name a folder"):
        create_run(root, target_id="embedded", name=name)
    assert not root.exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"it cannot be written: Not a directory; change to a folder") as raised:
        create_run(tmp_path / "file" / ".idcbench", target_id="embedded")
    assert raised.value.exit_code == 4


def test_a_newer_schema_is_not_read(root: Path) -> None:
    run = create_run(root, target_id="embedded")
    (run.path / "run.json").write_text('{"schema": 2, "everything": "else"}')
    with pytest.raises(RunError, match="schema 2, this idcbench knows up to 1; read it with a newer idcbench"):
        open_run(run.path)


@pytest.mark.parametrize("content", [None, "", "[]", '{"schema": 1}'])
def test_what_is_no_run_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=r"run\.json"):
        open_run(tmp_path)


def _create(asked: tuple[Path, int]) -> str:
    root, number = asked
    return create_run(root, target_id="embedded", name=f"by-{number}").path.name
