"""What is watched while a test runs: exits that no fault explains, and limits of what it measured."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from ..errors import IdcError, UsageError
from ..runs.directory import Run
from ..runs.metrics import metrics_of
from ..runs.schema import Metric
from .limits import Limit, breaches
from .live import LiveCluster
from .marks import declared
from .watchdog import ACT, account, acts_of, exits, unexplained


class Guard:
    """Watches one test after the other; :meth:`judge` may be called more than once per test."""

    def __init__(self, run: Run, limits: Sequence[Limit]) -> None:
        self._run = run
        self._limits = limits
        self._item: pytest.Item | None = None
        self._since_ns = 0
        self._metrics: Sequence[Metric] = ()

    def begin(self, item: pytest.Item) -> None:
        """A test begins."""
        self._item = item
        self._since_ns = time.monotonic_ns()
        self._metrics = metrics_of(self._run.path) if self._limits else ()

    def end(self) -> None:
        """The test is over."""
        self._item = None

    def on_fault(self, verb: str, host: str, component: str) -> None:
        """Note an act in the run's timeline. Raises :class:`UsageError` when the test may not break the cluster."""
        if self._item is None or not declared(self._item).disruptive:
            who = self._item.nodeid if self._item else "outside of a test"
            raise UsageError(f"{who}: faults.{verb} is for tests marked idc_disruptive, which run alone; mark the test")
        self._run.happened(ACT, verb=verb, host=host, component=component, test=self._item.nodeid)

    def judge(self, cluster: LiveCluster) -> None:
        """Fail the test for what happened, or was measured, since the last judgement."""
        said = [*self._exits(cluster), *self._breaches()]
        if said:
            pytest.fail("\n".join(said), pytrace=False)

    def _exits(self, cluster: LiveCluster) -> list[str]:
        if not cluster.breakable:
            return []
        since_ns, self._since_ns = self._since_ns, time.monotonic_ns()
        try:
            happenings = cluster.faults.happenings(since_ns=since_ns)
        except (IdcError, OSError, TimeoutError) as error:
            return [f"the cluster's timeline cannot be read any more: {error or type(error).__name__}"]
        found = exits(happenings, from_ns=since_ns, until_ns=time.monotonic_ns())
        left = unexplained(found, acts_of(self._run.events())) if found else []
        return [account(left)] if left else []

    def _breaches(self) -> list[str]:
        if not self._limits:
            return []
        before, self._metrics = self._metrics, metrics_of(self._run.path)
        return breaches(self._limits, before=before, after=self._metrics)
