"""A run whose harness was starved while it measured is invalid; what tests do that measure nothing does not count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idcbench.plugin.starvation import DELAY, starved
from idcbench.runs.directory import create_run

if TYPE_CHECKING:
    from conftest import Lab


@pytest.mark.parametrize(
    ("late", "of", "invalid"), [(4, 500, False), (6, 500, True), (6, 298, False)],
)  # fmt: skip
def test_a_hundredth_of_late_wakings_makes_a_run_invalid_when_there_are_enough(
    tmp_path: Path, late: int, of: int, invalid: bool
) -> None:
    run = create_run(tmp_path, target_id="t")
    run.series(DELAY, unit="ms", better="lower").add_many([25.0] * late + [0.1] * (of - late), 0)
    said = starved(run)
    assert bool(said) == invalid
    assert not invalid or "25.0 ms late or later (500 times)" in said[0]


def test_only_the_time_in_which_tests_measure_is_watched(lab: Lab) -> None:
    lab.test(
        "import pytest, time\n"
        "def test_other(idc_cluster): time.sleep(0.5)\n"
        "@pytest.mark.idc_measuring\n"
        "@pytest.mark.idc_disruptive\n"
        "def test_breaks(idc_cluster): time.sleep(0.5)\n"
        "@pytest.mark.idc_measuring\n"
        "def test_measures(idc_cluster): time.sleep(0.2)\n"
    )
    assert lab.run("--idc-target=fake", "test_it.py").ret == 0
    found = {metric["name"]: metric["n"] for metric in lab.document()["metrics"]}
    assert 3 <= found[DELAY] < 15


def test_a_starved_run_ends_with_7_and_says_so(lab: Lab) -> None:
    lab.test(
        "import pytest\n"
        "@pytest.mark.idc_measuring\n"
        "def test_measures(idc_record):\n"
        f"    idc_record.run.series({DELAY!r}, unit='ms', better='lower').add_many([30.0] * 400)\n"
    )
    result = lab.run("--idc-target=fake", "test_it.py")
    assert result.ret == 7
    result.stdout.fnmatch_lines(["idcbench: invalid: the harness itself was starved: * 30.0 ms late*"])
