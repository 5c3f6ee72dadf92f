"""The packaged suites: which of them run, and under which node ids, whatever the project around says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idcbench.plugin import packaged
from idcbench.plugin.packaged import PREFIX, as_packaged

if TYPE_CHECKING:
    from conftest import Lab


@pytest.fixture
def installed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with two suites, in which the real ones are not."""
    root = tmp_path_factory.mktemp("site") / "idcbench_lookalike" / "suites"
    for name, source in {
        "__init__.py": "",
        "alpha/__init__.py": "",
        "alpha/conftest.py": "import pytest\n@pytest.fixture\ndef own(): return 7\n",
        "alpha/test_a.py": "def test_one(): pass\ndef test_two(own): assert own == 7\ndef check_no(): assert 0\n",
        "alpha/steps.py": "def test_not_here(): assert 0\n",
        "alpha/deep/__init__.py": "",
        "alpha/deep/test_d.py": "import pytest\n@pytest.mark.parametrize('n', [1, 2])\ndef test_n(n): pass\n",
        "beta/__init__.py": "",
        "beta/test_b.py": "class TestB:\n    def test_no(self): assert 0\ndef test_b(): pass\n",
        "notes/readme.txt": "",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    (root.parent / "__init__.py").write_text("")
    monkeypatch.setattr(packaged, "ROOT", root)
    monkeypatch.syspath_prepend(str(root.parent.parent))
    return root


ALPHA = [
    f"{PREFIX}/alpha/deep/test_d.py::test_n[1]",
    f"{PREFIX}/alpha/deep/test_d.py::test_n[2]",
    f"{PREFIX}/alpha/test_a.py::test_one",
    f"{PREFIX}/alpha/test_a.py::test_two",
]
BETA = [f"{PREFIX}/beta/test_b.py::test_b"]
OWN = ["test_it.py::test_mine"]


def collected(lab: Lab, *args: str) -> list[str]:
    lab.test("def test_mine(): pass")
    result = lab.run("--collect-only", "-q", *args)
    assert result.ret == 0, result.stdout.str() + result.stderr.str()
    return [line for line in result.outlines if "::" in line]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--idc-target=fake"], ALPHA + BETA),
        (["--idc-target=fake", "test_it.py"], OWN),
        (["--idc-target=fake", "--idc-suite=beta"], BETA),
        (["--idc-target=fake", "--idc-suite=beta,alpha"], ALPHA + BETA),
        (["--idc-target=fake", "--idc-suite=beta", "test_it.py"], OWN + BETA),
        (["--idc-target=fake", ALPHA[0]], ALPHA[:1]),
        (["--idc-target=fake", f"{PREFIX}/alpha/deep/test_d.py::test_n"], ALPHA[:2]),
        (["--idc-target=fake", f"{PREFIX}/alpha/test_a.py", "test_it.py"], OWN + ALPHA[2:]),
        (["--idc-target=fake", BETA[0]], BETA),
        (["--idc-target=fake", "-k", "test_one"], ALPHA[2:3]),
        ([], OWN),
    ],
)
@pytest.mark.usefixtures("installed")
def test_what_runs(lab: Lab, args: list[str], expected: list[str]) -> None:
    assert collected(lab, *args) == expected


@pytest.mark.usefixtures("installed")
def test_the_ini_file_of_a_project_changes_neither_what_runs_nor_how_it_is_called(lab: Lab) -> None:
    lab.pytester.makeini(
        "[pytest]\ntestpaths = test_it.py\npython_files = check_*.py\npython_functions = check_*\n"
        "python_classes = Check*\nnorecursedirs = *\naddopts = --import-mode=importlib\n"
    )
    assert collected(lab, "--idc-target=fake") == ALPHA + BETA


@pytest.mark.usefixtures("installed")
def test_a_target_in_the_ini_file_runs_the_projects_own_tests(lab: Lab) -> None:
    lab.pytester.makeini("[pytest]\nidc_target = fake\ntestpaths = .\n")
    assert collected(lab) == OWN


@pytest.mark.usefixtures("installed")
def test_they_run_and_the_header_says_so(lab: Lab) -> None:
    result = lab.run("--idc-target=fake", "-v")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["idcbench: target fake, *; packaged: alpha, beta", f"*{ALPHA[3]} PASSED*"])


@pytest.mark.usefixtures("installed")
def test_a_packaged_test_that_is_not_there(lab: Lab) -> None:
    result = lab.run("--idc-target=fake", f"{PREFIX}/alpha/test_none.py")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *there is no such packaged test; `--idc-suite` takes alpha, beta"])


def test_a_path_into_the_package_means_packaged_tests(installed: Path, tmp_path: Path) -> None:
    assert as_packaged(str(installed), from_folder=tmp_path) == PREFIX
    assert as_packaged(f"{installed / 'alpha/test_a.py'}::test_one", from_folder=tmp_path) == ALPHA[2]
    assert as_packaged("alpha", from_folder=installed) == f"{PREFIX}/alpha"
    assert as_packaged("elsewhere/test_a.py", from_folder=tmp_path) is None


def test_a_folder_of_the_user_by_the_same_name_is_the_users(installed: Path, tmp_path: Path) -> None:
    assert installed
    (tmp_path / PREFIX / "alpha").mkdir(parents=True)
    assert as_packaged(f"{PREFIX}/alpha", from_folder=tmp_path) is None


@pytest.mark.usefixtures("installed")
def test_failures_of_packaged_tests_are_told_by_their_node_ids(lab: Lab, installed: Path) -> None:
    (installed / "beta/test_b.py").write_text("def test_fails(idc_cluster): assert idc_cluster.facts.nodes == 1\n")
    result = lab.run("--idc-target=fake", "--idc-suite=beta")
    result.stdout.fnmatch_lines([f"FAILED *{PREFIX}/beta/test_b.py::test_fails - *"])
    check = lab.document()["checks"][0]
    assert (check["nodeid"], check["suite"]) == (f"{PREFIX}/beta/test_b.py::test_fails", "beta")
