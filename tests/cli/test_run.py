"""``idcbench run``: what it hands to pytest, and that the directory it is started in changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from idcbench.cli.options import read_settings
from idcbench.cli.run import _target, pytest_arguments, read_rest
from idcbench.plugin.packaged import PACKAGE, ROOT

if TYPE_CHECKING:
    from conftest import Shell

FAKE = ("-p", "fake_target")


def arguments(words: list[str], folder: Path, **values: Any) -> list[str]:
    asked = read_settings({"target": "embedded", **values})
    return pytest_arguments(asked, read_rest(words, folder=folder), folder=folder)


def confcutdir(arguments: list[str]) -> Path:
    return Path(next(each for each in arguments if each.startswith("--confcutdir=")).partition("=")[2])


@pytest.mark.parametrize(
    ("words", "target", "rest"),
    [
        ((), "embedded", ()),
        (("kubeconfig",), "kubeconfig", ()),
        (("kubeconfig", "-x"), "kubeconfig", ("-x",)),
        (("lab.yaml",), "lab.yaml", ()),
        (("-k", "name"), "embedded", ("-k", "name")),
        (("tests/test_a.py",), "embedded", ("tests/test_a.py",)),
        (("test_a.py::test_b",), "embedded", ("test_a.py::test_b",)),
    ],
)
def test_the_first_word_is_the_target_unless_it_is_a_test(
    words: tuple[str, ...], target: str, rest: tuple[str, ...]
) -> None:
    assert _target(None, words) == (target, rest)


def test_a_folder_that_is_there_is_no_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checks").mkdir()
    monkeypatch.chdir(tmp_path)
    assert _target(None, ("checks",)) == ("embedded", ("checks",))
    assert _target("fake", ("checks",)) == ("fake", ("checks",))


def test_without_a_path_the_packaged_suites_are_named_and_no_conftest_above_them_counts(tmp_path: Path) -> None:
    got = arguments(["-k", "x"], tmp_path)
    assert str(ROOT / "failover") in got
    assert confcutdir(got) == PACKAGE
    assert got[got.index("-k") + 1] == "x"


def test_of_the_users_paths_only_conftests_beside_and_below_count(tmp_path: Path) -> None:
    for name in ("a/b/test_x.py", "a/c/test_y.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert confcutdir(arguments(["a/b/test_x.py::test_one"], tmp_path)) == tmp_path / "a/b"
    got = arguments(["a/b/test_x.py", "a/c", "-p", "a"], tmp_path)
    assert confcutdir(got) == tmp_path / "a"
    assert str(ROOT / "failover") not in got


def test_a_packaged_node_id_becomes_a_path_that_pytest_finds(tmp_path: Path) -> None:
    got = arguments(["idcbench/suites/failover/test_host_loss.py::test_x"], tmp_path)
    assert f"{ROOT / 'failover/test_host_loss.py'}::test_x" in got
    assert str(ROOT / "failover") not in got


def test_only_given_options_are_handed_on(tmp_path: Path) -> None:
    got = arguments([], tmp_path, nodes="3", keep=True, suite=("failover",))
    ours = [each for each in got if each.startswith("--idc")]
    assert ours == ["--idc-target=embedded", "--idc-suite=failover", "--idc-nodes=3", "--idc-keep"]


def test_xdist_is_loaded_when_it_is_asked_for(tmp_path: Path) -> None:
    assert "xdist.plugin" in arguments(["-n2"], tmp_path)
    assert "xdist.plugin" not in arguments(["-v"], tmp_path)


def test_a_wrong_value_is_a_usage_error() -> None:
    with pytest.raises(click.UsageError, match="--nodes: a whole number"):
        read_settings({"nodes": "x"})


def hostile(path: Path) -> None:
    """A project in which everything would change what runs."""
    (path / "conftest.py").write_text("raise RuntimeError('conftest.py of the directory was read')\n")
    (path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\ntestpaths = elsewhere\nidc_target = nope\n")
    for name in ("scheduler", "reports", "suites"):
        (path / name).mkdir()
        (path / name / "__init__.py").write_text("raise RuntimeError('a folder of the directory was imported')\n")


def test_the_directory_changes_nothing(shell: Shell) -> None:
    hostile(shell.path)
    done = shell.idcbench(
        "run", "fake", *FAKE, "--collect-only", "-qq", PYTEST_ADDOPTS="--nonsense", PYTEST_PLUGINS="nonsense"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "idcbench/suites/failover/test_apiserver_kill.py::" in done.stdout
    assert not (shell.path / ".idcbench").exists()


def test_a_run_ends_with_the_path_of_its_report(shell: Shell) -> None:
    hostile(shell.path)
    (shell.path / "mine").mkdir()
    (shell.path / "mine/conftest.py").write_text("import pytest\n@pytest.fixture\ndef seven(): return 7\n")
    (shell.path / "mine/test_it.py").write_text(
        "def test_it(idc_record, seven, pytestconfig):\n"
        "    '''It holds.'''\n"
        "    assert seven == 7\n"
        "    loaded = [name for name, _ in pytestconfig.pluginmanager.list_name_plugin()]\n"
        "    assert not any('hypothesis' in name or 'asyncio' in name for name in loaded)\n"
        "    idc_record('x', 1, unit='s')\n"
    )
    done = shell.idcbench("run", "fake", "mine/test_it.py", "--idc-nodes=3", "--control-planes", "1", *FAKE)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert last == ".idcbench/fake/0001_run/report.html"
    assert (shell.path / last).stat().st_size > 0
    assert "1 control plane, 3 nodes" in done.stdout
    assert "mine/test_it.py::test_it PASSED" in done.stdout


def test_a_failed_test_is_code_1_and_has_its_report_too(shell: Shell) -> None:
    (shell.path / "test_it.py").write_text("def test_it(idc_cluster): assert 0\n")
    done = shell.idcbench("run", "fake", "test_it.py", *FAKE)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == ".idcbench/fake/0001_run/report.html"


def test_with_xdist(shell: Shell) -> None:
    (shell.path / "test_it.py").write_text("def test_a(idc_cluster): pass\ndef test_b(idc_cluster): pass\n")
    done = shell.idcbench("run", "fake", "test_it.py", *FAKE, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("nope",), 4, "no target 'nope'"),
        (("fake", *FAKE, "--suite", "nope"), 4, "--suite nope: there is no such suite"),
        (("fake", *FAKE, "--nodes", "x"), 4, "--nodes: a whole number"),
        (("fake", *FAKE, "none.py"), 4, "none.py"),
        (("fake-broken", *FAKE, "test_it.py"), 6, "no kube-apiserver was found"),
        (("fake-misfit", *FAKE, "test_it.py"), 4, "use --control-planes 1"),
    ],
)
def test_bad_input_has_a_message_a_code_and_leaves_nothing(
    shell: Shell, args: tuple[str, ...], code: int, said: str
) -> None:
    (shell.path / "test_it.py").write_text("def test_it(idc_cluster): pass\n")
    done = shell.idcbench("run", *args)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (shell.path / ".idcbench").exists()
