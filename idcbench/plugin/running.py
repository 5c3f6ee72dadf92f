"""Runs tests on the cluster: in the one process without xdist, in each worker with it."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from typing import Any, Protocol

import pytest

from ..cluster import Capability
from ..errors import IdcError, RunError
from ..options import Settings
from ..progress import Progress
from .checks import describe
from .guard import Guard
from .limits import Limit
from .live import LiveCluster
from .lock import ClusterLock, Held
from .marks import declared, needs_cluster
from .owner import Provided
from .portal import Portal
from .record import Record
from .starvation import Starvation


class Source(Protocol):
    """Where the cluster comes from: the owner itself, or a worker's guest."""

    def provide(self) -> Provided: ...


class Running:
    """The hooks around each test, and what the fixtures give."""

    def __init__(
        self,
        settings: Settings,
        *,
        source: Source,
        limits: tuple[Limit, ...],
        portal: Portal,
        progress: Progress,
        worker: str = "",
    ) -> None:
        self.settings = settings
        self.progress = progress
        self._source = source
        self._limits = limits
        self._portal = portal
        self._worker = worker
        self._live: LiveCluster | None = None
        self._guard: Guard | None = None
        self._refused = False
        self._starvation = Starvation()

    def live(self) -> LiveCluster:
        """The cluster, brought up when it is not there. Raises :class:`IdcError` when there is none."""
        if self._live is None:
            provided = self._source.provide()
            self._guard = Guard(provided.run, self._limits)
            self._live = LiveCluster(provided.cluster, self._portal, self._guard.on_fault)
        return self._live

    def record(self) -> Record:
        """What ``idc_record`` gives."""
        return Record(self._source.provide().run)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Check the markers of all tests. Raises :class:`pytest.UsageError`."""
        known = {str(capability) for capability in Capability}
        for item in items:
            for need in declared(item).needs:
                if need not in known:
                    raise pytest.UsageError(
                        f"{item.nodeid}: needs {need!r}: one of {', '.join(sorted(known))} is wanted"
                    )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Hold the cluster's lock through setup, call and teardown; without a cluster end the session."""
        if not needs_cluster(item):
            return (yield)
        with ExitStack() as held:
            try:
                provided = self._source.provide()
                self.live()
            except IdcError:  # the owner tells it, once
                self._refused = True
                item.session.shouldstop = "no cluster could be provided"
                return (yield)
            alone = declared(item).alone
            from_ns = held.enter_context(ClusterLock(provided.run.path.parent).held(alone=alone))
            held.callback(self._note_held, item.nodeid, alone, from_ns)
            if declared(item).measures_undisturbed:
                self._starvation.get_ready(provided.run)
            guard = self._guarding()
            guard.begin(item)
            held.callback(guard.end)
            held.callback(self.progress, "")
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip what this cluster cannot do, or may not be done to it."""
        if not needs_cluster(item):
            return
        said, live = declared(item), self.live()
        facts = live.facts
        missing = [need for need in said.needs if need not in {str(each) for each in live.capabilities}]
        if missing:
            pytest.skip(f"needs {', '.join(missing)}, which target {facts.target} does not have")
        if said.disruptive and not facts.ours and self.settings.allow_disruption != facts.name:
            pytest.skip(
                f"disruptive, and cluster {facts.name} was not made by idcbench; "
                f"--idc-allow-disruption={facts.name} lets it be broken"
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        measures = needs_cluster(item) and declared(item).measures_undisturbed
        with self._starvation.watched(self._source.provide().run) if measures else nullcontext():
            result = yield
        self._judge(item)
        return result

    def pytest_sessionfinish(self) -> None:
        self._starvation.close()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        self._judge(item)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        report.idc = describe(item)  # type: ignore[attr-defined]  # read by checks.py, here or in the controller
        return report

    @property
    def refused(self) -> bool:
        """Whether a test asked in vain for the cluster."""
        return self._refused

    def _judge(self, item: pytest.Item) -> None:
        if self._live is not None and needs_cluster(item):
            self._guarding().judge(self._live)

    def _guarding(self) -> Guard:
        self.live()
        if self._guard is None:
            raise RuntimeError("the guard comes with the cluster")
        return self._guard

    def _note_held(self, nodeid: str, alone: bool, from_ns: int) -> None:
        interval = Held(nodeid=nodeid, alone=alone, worker=self._worker, from_ns=from_ns, until_ns=time.monotonic_ns())
        line = (json.dumps(asdict(interval)) + "\n").encode()
        path = self._source.provide().run.path / "logs" / "lock.jsonl"
        try:
            with path.open("ab", buffering=0) as file:
                file.write(line)
        except OSError as error:
            reason = f"{path}: cannot be written: {error.strerror}; make room or make it writable"
            pytest.exit(f"error: {reason}", returncode=RunError.exit_code)


class Refusal:
    """Runs no test once the cluster was refused; apart from :class:`Running`, whose hook is a wrapper."""

    def __init__(self, running: Running) -> None:
        self._running = running

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> Any:
        return True if self._running.refused else None
