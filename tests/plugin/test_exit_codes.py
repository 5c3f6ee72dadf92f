"""The exit codes of a session with a target, and what is said beside them; once, without a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Lab

NEEDS = "def test_one(idc_cluster): pass\ndef test_two(idc_cluster): pass\n"


@pytest.mark.parametrize(
    ("source", "args", "code"),
    [
        (NEEDS, ["--idc-target=fake"], 0),
        ("def test_it(idc_cluster): assert 0", ["--idc-target=fake"], 1),
        ("def test_it(idc_cluster): raise KeyboardInterrupt", ["--idc-target=fake"], 2),
        (NEEDS, ["--idc-target=fake-bug"], 3),
        (NEEDS, ["--idc-target=fake-misfit"], 4),
        (NEEDS, ["--idc-target=fake", "-k", "nothing"], 5),
        ("import pytest\ndef test_it(idc_cluster): pytest.skip('no')", ["--idc-target=fake"], 5),
        (NEEDS, ["--idc-target=fake-broken"], 6),
        ("def test_it(idc_record): idc_record.run.invalidate('probe too late')", ["--idc-target=fake"], 7),
    ],
)
def test_code(lab: Lab, source: str, args: list[str], code: int) -> None:
    lab.test(source)
    run = lab.spawn if code == 2 else lab.run  # pytester passes a KeyboardInterrupt of its own process on
    assert run(*args, "test_it.py").ret == code


def test_no_cluster_is_told_once_and_leaves_nothing(lab: Lab) -> None:
    lab.test(NEEDS)
    result = lab.run("--idc-target=fake-broken", "test_it.py")
    said = result.stdout.str() + result.stderr.str()
    assert said.count("error: no kube-apiserver was found; type `idcbench artifacts get`") == 1
    assert "Traceback" not in said
    assert lab.log() == ["refused main"]
    assert not (lab.path / ".idcbench").exists()


def test_the_reasons_of_an_invalid_run_are_told(lab: Lab) -> None:
    lab.test("def test_it(idc_record): idc_record.run.invalidate('probe too late')")
    result = lab.run("--idc-target=fake", "test_it.py")
    result.stdout.fnmatch_lines(["*(invalid, 3 metrics)*", "idcbench: invalid: probe too late"])


@pytest.mark.parametrize(("ahead_ms", "code"), [(0, 0), (150, 7)])
def test_a_host_whose_clock_is_off_makes_the_run_invalid(lab: Lab, ahead_ms: int, code: int) -> None:
    lab.test(NEEDS)
    (lab.path / "ahead_ms").write_text(str(ahead_ms))
    result = lab.run("--idc-target=fake", "test_it.py")
    assert result.ret == code
    metrics = {metric["name"]: metric for metric in lab.document()["metrics"]}
    assert metrics["measure.clock_offset"]["n"] == metrics["measure.clock_offset_error"]["n"] == 2
    assert metrics["measure.clock_offset"]["labels"] == {"host": "cp1"}
    if ahead_ms:
        result.stdout.fnmatch_lines(["idcbench: invalid: the clock of cp1 is +1?*ms (± *chronyc*"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--idc-target=fake", "--idc-nodes=x"], "--idc-nodes: a whole number from 0 on is wanted, found 'x'"),
        (["--idc-target=fake", "--idc-limits=none.yaml"], "--idc-limits: none.yaml: cannot be read: No such file*"),
        (["--idc-target=fake", "--idc-suite=nope"], "--idc-suite=nope: there is no such suite; there are *"),
        (["--idc-target="], "--idc-target: a value is wanted*"),
        (["--idc-suite=functional"], "--idc-suite needs --idc-target*"),
        (["--idc-keep"], "--idc-keep needs --idc-target*"),
    ],
)
def test_options_are_checked_before_anything_starts(lab: Lab, args: list[str], said: str) -> None:
    lab.test(NEEDS)
    result = lab.run(*args)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {said}"])
    assert not (lab.path / ".idcbench").exists()


def test_a_wrong_value_in_the_ini_file_is_named_with_the_file(lab: Lab) -> None:
    lab.pytester.makeini("[pytest]\nidc_target = fake\nidc_profile = quick\n")
    result = lab.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *tox.ini: idc_profile: one of fast, default, slow-disk is wanted*"])


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("idc(needs=['magic'])", "*needs 'magic': one of*"),
        ("idc(proves='all')", "*idc(proves='all'): one of api, controller, kubelet*"),
        ("idc('api')", "*marker idc takes proves=, negative= and needs=*"),
    ],
)
def test_markers_are_checked_at_collection(lab: Lab, mark: str, said: str) -> None:
    lab.test(f"import pytest\n@pytest.mark.{mark}\n" + NEEDS)
    result = lab.run("--idc-target=fake", "test_it.py")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {said}"])


def test_a_place_that_is_not_writable_is_found_before_the_cluster_is_brought_up(lab: Lab) -> None:
    lab.test(NEEDS)
    (lab.path / ".idcbench").write_text("a file is in the way")
    result = lab.run("--idc-target=fake", "test_it.py")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["error: *.idcbench/fake: a run directory is wanted here, but *"])
    assert not (lab.path / "log").exists()
