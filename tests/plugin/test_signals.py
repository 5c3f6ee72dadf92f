"""A signal ends the session in good order, the second at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Lab

LIMIT_S = 20.0
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
WAITS = """
    import time, pathlib
    def test_first(idc_cluster): pass
    def test_waits(idc_cluster):
        pathlib.Path('waiting').touch()
        time.sleep(60)
"""
CLINGS = """
    import time, pathlib, pytest
    @pytest.fixture
    def clinging(idc_cluster):
        yield
        pathlib.Path('clinging').touch()
        time.sleep(60)
    def test_it(clinging):
        pathlib.Path('waiting').touch()
        time.sleep(60)
"""


def start(lab: Lab, *args: str) -> subprocess.Popen[bytes]:
    quiet = ["-p", "no:asyncio", "-p", "no:hypothesispytest", "-p", "no:cacheprovider"]
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *quiet, *args, "test_it.py"],
        cwd=lab.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def end(process: subprocess.Popen[bytes], *signals: signal.Signals) -> tuple[int, str]:
    for number in signals:
        process.send_signal(number)
    said, _ = process.communicate(timeout=LIMIT_S)
    return process.returncode, said.decode()


def file(path: Path) -> Callable[[], bool]:
    return path.exists


@pytest.mark.parametrize("number", ENDING)
def test_the_first_signal_ends_in_good_order(lab: Lab, number: signal.Signals) -> None:
    lab.test(WAITS)
    process = start(lab, "--idc-target=fake")
    wait_for(file(lab.path / "waiting"))
    code, said = end(process, number)
    assert code == 2, said
    assert lab.log() == ["up main", "down main"]
    document = lab.document()
    assert document["interrupted"]
    assert document["tests"]["passed"] == 1
    assert (lab.path / ".idcbench/fake/latest/junit.xml").is_file()


def test_fixtures_that_take_too_long_are_cut(lab: Lab) -> None:
    lab.test(CLINGS)
    process = start(lab, "--idc-target=fake")
    wait_for(file(lab.path / "waiting"))
    code, said = end(process, signal.SIGTERM)
    assert code == 2, said
    assert (lab.path / "clinging").exists()
    assert lab.log() == ["up main", "down main"]
    assert lab.document()["interrupted"]


def test_the_second_signal_ends_at_once_and_the_run_says_cut_off(lab: Lab) -> None:
    lab.test(CLINGS)
    process = start(lab, "--idc-target=fake")
    wait_for(file(lab.path / "waiting"))
    process.send_signal(signal.SIGINT)
    wait_for(file(lab.path / "clinging"))
    code, _ = end(process, signal.SIGINT)
    assert code == 2
    assert lab.log() == ["up main"]
    assert lab.document()["ended"] is None


def test_interrupted_while_the_cluster_is_brought_up(lab: Lab) -> None:
    lab.test(WAITS)
    process = start(lab, "--idc-target=fake-slow")
    wait_for(file(lab.path / "waiting"))
    code, said = end(process, signal.SIGTERM)
    assert code == 2, said
    document = lab.document()
    assert document["interrupted"]
    assert not document["valid"]
    assert "Traceback" not in said


def test_with_xdist_the_terminals_interrupt_reaches_workers_too(lab: Lab) -> None:
    lab.test(WAITS)
    process = start(lab, "--idc-target=fake", "-n2")
    wait_for(file(lab.path / "waiting"))
    os.killpg(process.pid, signal.SIGINT)
    code, said = end(process)
    assert code == 2, said
    assert (lab.log()[0], lab.log()[-1]) == ("up main", "down main")
    assert lab.document()["interrupted"]
