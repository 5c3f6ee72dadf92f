"""The plugin proper, registered by `entry.py` only when a target is given: begins and ends a session with a cluster."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ..cluster import Target
from ..errors import IdcError, RunError
from ..options import Settings
from ..progress import Progress, silent
from ..runs.schema import RunDocument
from ..runs.timeline import TEST_BEGAN, TEST_ENDED
from . import targets
from .checks import Checks
from .desk import Desk
from .fixtures import PLUGIN
from .guest import Guest
from .junit import Junit
from .limits import read_limits
from .marks import needs_cluster
from .outcome import Code, Ending
from .owner import Owner
from .portal import Portal
from .running import Refusal, Running
from .selection import Selection
from .signals import Signals
from .stash import ASKED, Asked
from .terminal import cluster_line, ending_lines, header_line


def register(config: pytest.Config, settings: Settings) -> None:
    """Check everything that was asked for, then take part in the session. Raises :class:`pytest.UsageError`."""
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    portal = Portal()
    try:
        limits = read_limits(Path(settings.limits)) if settings.limits else ()
        selection = Selection(config, settings)
        config.pluginmanager.register(selection, "idcbench-selection")
        if worker:
            running = Running(
                settings,
                source=Guest(Path(worker["idc_desk"]), portal=portal),
                limits=limits,
                portal=portal,
                progress=silent,
                worker=worker["workerid"],
            )
            config.add_cleanup(portal.close)
        else:
            owner, progress = _own(config, settings, portal)
            running = Running(settings, source=owner, limits=limits, portal=portal, progress=progress)
            session = IdcSession(config, settings, owner, selection, progress)
            config.pluginmanager.register(session, "idcbench-owner")
    except IdcError as error:
        raise pytest.UsageError(str(error)) from None
    config.pluginmanager.register(running, PLUGIN)
    config.pluginmanager.register(Refusal(running), "idcbench-refusal")


def _own(config: pytest.Config, settings: Settings, portal: Portal) -> tuple[Owner, Progress]:
    """What owns the cluster that is to be, and who is told of progress."""
    config.pluginmanager.register(targets, "idcbench-targets")
    progress: Progress = config.hook.pytest_idc_progress(config=config)
    one = config.hook.pytest_idc_round(config=config)
    config.stash[ASKED] = Asked(settings, progress, one)
    target: Target | None = config.hook.pytest_idc_target(config=config, target=settings.target)
    if target is None:
        raise pytest.UsageError(f"--idc-target={settings.target}: there is no such target")
    return Owner(target, settings, portal=portal, progress=progress, one=one), progress


class IdcSession:
    """The one process without xdist, or xdist's controller: owns the cluster and the run."""

    def __init__(
        self, config: pytest.Config, settings: Settings, owner: Owner, selection: Selection, progress: Progress
    ) -> None:
        self.config = config
        self.settings = settings
        self._owner = owner
        self._selection = selection
        self._progress = progress
        self._checks = Checks()
        self._junit = Junit(config)
        self._signals = Signals()
        self._desk: Desk | None = None
        self._document: RunDocument | None = None
        self._problem: IdcError | None = None
        self._signals.install()

    def pytest_report_header(self) -> str:
        return header_line(self.settings, self._selection.packaged)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """With xdist: open the desk before its workers start."""
        if self._with_xdist():
            self._desk = Desk(self._owner)
            self._desk.open()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker where the desk is."""
        if self._desk is not None:
            node.workerinput["idc_desk"] = str(self._desk.path)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Bring the cluster up when a selected test needs it; run no test when there is none. Outside of capturing."""
        if self._with_xdist() or session.config.option.collectonly:
            return None
        if session.testsfailed and not session.config.option.continue_on_collection_errors:
            return None
        if not any(needs_cluster(item) for item in session.items):
            return None
        try:
            provided = self._owner.provide()
        except IdcError:
            return True
        self._say(cluster_line(provided.cluster.facts))
        try:
            self._owner.begin_round()
        except IdcError:
            return True
        return None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._checks.add(report)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._tell(TEST_BEGAN, nodeid=nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._tell(TEST_ENDED, nodeid=nodeid, outcome=self._checks.outcome_of(nodeid))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """After all fixtures were torn down: run.json, the cluster, the exit code. Before the terminal's summary."""
        result: object = None
        self._junit.finish(self._owner.junit_file)
        try:
            result = yield
        except KeyboardInterrupt:
            if not self._signals.received:
                raise
        except OSError as error:  # junit.xml is written here, by pytest
            file = error.filename or "a file of the run"
            self._problem = RunError(f"{file}: cannot be written: {error.strerror or error}; make room there")
        finally:
            self._signals.closing = True
            stopped = bool(session.shouldfail or session.shouldstop)
            all_ran = int(session.exitstatus) in (Code.PASSED, Code.FAILED) and not stopped
            self._end(selected=len(getattr(session, "items", None) or ()), cut_short=not all_ran)
        session.exitstatus = self._ending(int(session.exitstatus)).code()
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for error in (self._owner.refused, self._problem):
            if error is not None:
                terminalreporter.write_line(f"error: {error}", red=True)
        path = os.path.relpath(self._owner.run.path) if self._owner.run else ""
        for line in ending_lines(self._document, path):
            terminalreporter.write_line(f"idcbench: {line}")

    def pytest_unconfigure(self) -> None:
        self._owner.portal.close()
        self._signals.restore()

    def _end(self, *, selected: int, cut_short: bool) -> None:
        try:
            self._document = self._owner.finish(
                self._checks.all(),
                interrupted=bool(self._signals.received),
                cut_short=cut_short,
                selected=selected,
            )
        except IdcError as error:
            self._problem = error
        finally:
            self._progress("")
            if self._desk is not None:
                self._desk.close()
        run = self._owner.run
        self._junit.written(self._owner.junit_file)
        if run is not None and self._document is not None:
            self.config.hook.pytest_idc_run_finished(config=self.config, path=run.path)

    def _ending(self, pytest_code: int) -> Ending:
        error = self._owner.refused or self._problem
        checks = self._checks.all()
        return Ending(
            pytest_code=pytest_code,
            interrupted=bool(self._signals.received),
            refused=error.exit_code if error else 0,
            valid=self._document is None or self._document.valid,
            ran=self._document is None or any(check.outcome != "skipped" for check in checks),
        )

    def _with_xdist(self) -> bool:
        return self.config.pluginmanager.has_plugin("dsession")

    def _tell(self, what: str, **fields: Any) -> None:
        """Write to the timeline, for those who watch: the run does not end for it."""
        if self._owner.run is not None:
            with suppress(RunError):
                self._owner.run.happened(what, **fields)

    def _say(self, line: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(line)
