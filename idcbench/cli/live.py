"""What is shown beside pytest's own lines: what is waited for, and in ``idcbench run`` the test that is at work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..progress import Progress, silent
from .display import Display


def display_beside(config: pytest.Config) -> Display:
    """A display on the terminal that pytest was started on, past its capturing; closed with the session.

    Called before the first test. When pytest has begun a line it is left there; pytest then writes it anew.
    """
    stream = os.fdopen(os.dup(1), "w")

    def leave_line() -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and reporter.currentfspath is not None:
            stream.write("\n")
            stream.flush()
            reporter.currentfspath = None

    display = Display(stream, before=leave_line)
    config.add_cleanup(display.close)
    return display


class LiveRun:
    """A pytest plugin; :attr:`path` is the run directory when the session is over, ``None`` without one."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self._progress: Progress = silent
        self._at_once = False
        self._numbers: dict[str, int] = {}

    def pytest_idc_progress(self, config: pytest.Config) -> Progress:
        self._progress = display_beside(config)
        return self._progress

    def pytest_idc_run_finished(self, path: Path) -> None:
        self.path = path

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._at_once = session.config.pluginmanager.has_plugin("dsession")
        self._numbers = {item.nodeid: number for number, item in enumerate(session.items)}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if not self._at_once:  # xdist's workers run several
            self._progress(nodeid, done=self._numbers.get(nodeid, 0), total=len(self._numbers) or None, unit="tests")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "setup" or not report.passed:  # pytest is about to write
            self._progress("")
