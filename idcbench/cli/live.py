"""What ``idcbench run`` shows while tests run: the one that is at work, since when, and how many there are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..progress import Progress
from .display import Display


class LiveRun:
    """A pytest plugin; :attr:`path` is the run directory when the session is over, ``None`` without one."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self._terminal = os.fdopen(os.dup(1), "w")  # before pytest's capturing redirects it
        self._display = Display(self._terminal, before=self._leave_line)
        self._reporter: pytest.TerminalReporter | None = None
        self._numbers: dict[str, int] = {}

    def pytest_idc_progress(self) -> Progress:
        return self._display

    def pytest_unconfigure(self) -> None:
        self._display.close()

    def pytest_idc_run_finished(self, path: Path) -> None:
        self.path = path

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if not session.config.pluginmanager.has_plugin("dsession"):  # whose workers run several tests at once
            self._reporter = session.config.pluginmanager.get_plugin("terminalreporter")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._numbers = {item.nodeid: number for number, item in enumerate(session.items)}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self._reporter is not None:
            self._display(nodeid, done=self._numbers.get(nodeid, 0), total=len(self._numbers) or None, unit="tests")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self) -> None:
        self._display("")

    def _leave_line(self) -> None:
        """Go to a new line when pytest has begun one; pytest then writes it anew with the result."""
        if self._reporter is not None and self._reporter.currentfspath is not None:
            self._terminal.write("\n")
            self._terminal.flush()
            self._reporter.currentfspath = None
