"""What stands on the terminal while ``idcbench run`` runs a test that takes a while."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Shell

SLOW = """
import pathlib, time
import pytest

@pytest.mark.parametrize("waits", [False, True])
def test_it(idc_cluster, idc_progress, waits):
    if waits:
        seen("test_it.py::test_it[True]: 1 of 2 tests, since")
        idc_progress("cp1 catches up", done=3, total=10, unit="entries")
        seen("cp1 catches up: 3 of 10 entries, since")

def seen(what):
    while what not in pathlib.Path("terminal").read_text():
        time.sleep(0.01)
"""


def test_a_test_that_lasts_is_shown_with_what_it_waits_for(shell: Shell) -> None:
    (shell.path / "test_it.py").write_text(SLOW)
    terminal = shell.path / "terminal"
    terminal.touch()
    ours, theirs = pty.openpty()
    environment = {"TERM": "xterm", "COLUMNS": "200", "LINES": "40", "PYTHONPATH": str(shell.plugin_tests)}
    process = subprocess.Popen(
        [sys.executable, "-m", "idcbench.cli.main", "run", "fake", "test_it.py", "-p", "fake_target"],
        cwd=shell.path,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)

    def copy() -> None:
        with terminal.open("ab", buffering=0) as file:
            while True:
                try:
                    piece = os.read(ours, 4096)
                except OSError:  # the other end is closed
                    return
                file.write(piece)

    copying = threading.Thread(target=copy, daemon=True)
    copying.start()
    try:
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        copying.join(10)
        os.close(ours)
    said = terminal.read_text()
    assert said.count("test_it[True] \x1b[32mPASSED") == 1
    assert said.splitlines()[-1] == ".idcbench/fake/0001_run/report.html"
