"""Owns the cluster and the run: in the one process without xdist, in the controller with it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cluster import Cluster, Target
from ..errors import IdcError, RunError
from ..measure.steady import LEADERS, wait_until_steady
from ..options import Settings
from ..progress import Progress
from ..runs.directory import Run, create_run
from ..runs.handover import Round, hand_over
from ..runs.schema import Check, RunDocument, TestCounts, Validity
from .clocks import Clocks
from .keeper import Keeper
from .portal import Portal
from .starvation import starved

RUNS = Path(".idcbench")
HURRIED_S = 2.5
"""For the cluster's teardown after a signal: with the fixtures' share it stays below five seconds."""
PATIENT_S = 60.0
READY = "from the start of bringing the cluster up until every member answers and leaders are elected"


@dataclass(frozen=True, slots=True)
class Provided:
    """What tests work with."""

    cluster: Cluster
    run: Run


class Owner:
    """Brings the cluster up once, makes the run directory, and ends both."""

    def __init__(
        self, target: Target, settings: Settings, *, portal: Portal, progress: Progress, one: Round | None = None
    ) -> None:
        self.settings = settings
        self.portal = portal
        self.refused: IdcError | None = None
        self.run: Run | None = None
        self._target = target
        self._progress = progress
        self._round = one
        self._began = False
        self._keeper: Keeper | None = None
        self._provided: Provided | None = None
        self._clocks: Clocks | None = None
        self._began_ns = 0
        self._one_at_a_time = asyncio.Lock()

    def provide(self) -> Provided:
        """The cluster and the run. Raises :class:`IdcError` when there is none, every time the same."""
        return self._provided or self.portal.call(self.provided())

    async def provided(self) -> Provided:
        """As :meth:`provide`, from within the portal."""
        async with self._one_at_a_time:
            if self.refused is not None:
                raise self.refused
            if self._provided is None:
                try:
                    self._provided = await self._bring_up()
                except IdcError as error:
                    self.refused = error
                    raise
                finally:
                    self._progress("")
            return self._provided

    async def _bring_up(self) -> Provided:
        if self._round is None:
            check_writable(RUNS / self._target.id)
        self._began_ns = time.monotonic_ns()
        self._keeper = Keeper(self._target, self.settings.spec(), keep=self.settings.keep)
        cluster = await self._keeper.opened()
        ready_ns = time.monotonic_ns()
        if self._round is not None:
            self.run = Run(self._round.run)
            return Provided(cluster, self.run)
        self.run = run = self._create_run()  # only now, as a cluster that could not be provided leaves no run
        run.happened("bringing-up", at_ns=self._began_ns, target=self._target.id)
        run.happened("ready", at_ns=ready_ns, reused=cluster.facts.reused)
        if cluster.facts.ready_s is not None and not cluster.facts.reused:
            labels = {} if cluster.facts.shape == "full" else {"shape": cluster.facts.shape}
            ready = run.series("cluster.ready", unit="s", better="lower", labels=labels, definition=READY)
            ready.add(cluster.facts.ready_s)
        self._clocks = Clocks(cluster, run)
        await self._clocks.begin()
        return Provided(cluster, run)

    def begin_round(self) -> None:
        """In a round: wait until the cluster is steady, then tell the run that it begins.

        Raises :class:`IdcError` when it does not become so, and from :meth:`provide` again.
        """
        if self._round is None:
            return
        provided = self.provide()
        facts = provided.cluster.facts
        leaders = LEADERS if facts.shape == "full" else ()
        waiting = wait_until_steady(
            provided.cluster.access, nodes=facts.nodes, leaders=leaders, progress=self._progress
        )
        try:
            steady = self.portal.call(waiting)
        except IdcError as error:
            self.refused = error
            raise
        finally:
            self._progress("")
        provided.run.happened("steady", number=self._round.number, **dataclasses.asdict(steady))
        provided.run.happened("round-began", number=self._round.number)
        self._began = True

    @property
    def junit_file(self) -> Path | None:
        """Where the tests of this session go for a CI system; ``None`` without a run."""
        if self.run is None or self._round is None:
            return self.run.path / "junit.xml" if self.run else None
        return self.run.path / "logs" / f"junit-{self._round.number}.xml"

    def _create_run(self) -> Run:
        return create_run(RUNS, target_id=self._target.id, name=self.settings.run_name)

    def finish(
        self, checks: Sequence[Check], *, interrupted: bool, cut_short: bool = False, selected: int = 0
    ) -> RunDocument | None:
        """Write run.json, then let go of the cluster; ``None`` without a run. The order lets nothing cost the results.

        A round is handed over instead, unless it never began, and gives ``None``; ``cut_short``: not all of its tests
        ran. A run that was interrupted while the cluster was brought up is written too. Raises :class:`IdcError` when
        run.json cannot be written or the cluster not taken down; the other is done then all the same.
        """
        if self.run is None and self._round is None and self._keeper is not None and interrupted:
            self.run = self._create_run()
        try:
            if self.run is None:
                return None
            if self._round is not None:
                self._hand_over(self.run, checks, interrupted=interrupted, complete=not interrupted and not cut_short)
                return None
            return self._write(self.run, checks, interrupted=interrupted, selected=selected)
        finally:
            if self._keeper is not None:
                self._progress("taking the cluster down" if not self.settings.keep else "leaving the cluster")
                limit_s = HURRIED_S if interrupted else PATIENT_S
                try:
                    self.portal.call(self._keeper.close(), timeout_s=limit_s)
                except TimeoutError:
                    message = f"the cluster was not down within {limit_s:g} s; `idcbench down` removes what is left"
                    raise IdcError(message) from None

    def _write(self, run: Run, checks: Sequence[Check], *, interrupted: bool, selected: int) -> RunDocument:
        cluster = self._provided.cluster if self._provided else None
        notes = self._ask_clocks(hurried=interrupted)
        reasons = (
            self._note_happenings(cluster, run, limit_s=0.4 if interrupted else 5.0)
            if cluster is not None
            else ["interrupted before there was a cluster"]
        )
        reasons += starved(run)
        return run.finish(
            tests=TestCounts.of(checks, selected=selected),
            checks=checks,
            facts=facts_of(cluster) if cluster else {},
            options={"target": self._target.id} | options_of(self.settings),
            validity=Validity(valid=not reasons, reasons=tuple(reasons), notes=notes),
            interrupted=interrupted,
        )

    def _ask_clocks(self, *, hurried: bool) -> tuple[str, ...]:
        """The clocks' offsets after the tests; what is to be noted of them."""
        if self._clocks is None:
            return ()
        try:
            self.portal.call(self._clocks.end(hurried=hurried), timeout_s=0.2 if hurried else 10.0)
        except (IdcError, TimeoutError) as error:
            return (*self._clocks.notes, f"the clocks could not be read after the tests: {error or 'too slow'}")
        return self._clocks.notes

    def _hand_over(self, run: Run, checks: Sequence[Check], *, interrupted: bool, complete: bool) -> None:
        if self._round is None or self._provided is None or not self._began:
            return
        self._ask_clocks(hurried=interrupted)
        if complete:
            run.happened("round-ended", number=self._round.number)
        cluster = self._provided.cluster
        for reason in self._note_happenings(cluster, run, limit_s=0.4 if interrupted else 5.0):
            run.invalidate(reason)
        hand_over(self._round, checks, complete=complete)

    def _note_happenings(self, cluster: Cluster, run: Run, *, limit_s: float) -> list[str]:
        """Copy the cluster's own timeline into the run's; what is said when it cannot be had."""
        if cluster.faults is None:
            return []
        try:
            happenings = self.portal.call(cluster.faults.happenings(since_ns=self._began_ns), timeout_s=limit_s)
        except (IdcError, OSError, TimeoutError) as error:
            return [f"the cluster's own timeline could not be read at the end: {error or type(error).__name__}"]
        for happening in happenings:
            fields = dataclasses.asdict(happening)
            run.happened(fields.pop("what"), at_ns=fields.pop("at_ns"), source="cluster", **fields)
        return []


def check_writable(folder: Path) -> None:
    """Raises :class:`RunError` when no run directory can be made there; asked before a cluster is brought up for it."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise RunError(
            f"{folder.absolute()}: a run directory is wanted here, but {there} is not writable for you; "
            "change to a folder that is"
        )


def facts_of(cluster: Cluster) -> dict[str, Any]:
    """What run.json says of a cluster."""
    return {
        "cluster": cluster.facts,
        "hosts": [{"name": host.name, "address": host.address} for host in cluster.hosts],
        "capabilities": sorted(cluster.capabilities),
    }


def options_of(settings: Settings) -> dict[str, Any]:
    """What run.json says of the options, ``target`` apart."""
    values = dataclasses.asdict(settings)
    return {key: sorted(value) if isinstance(value, frozenset) else value for key, value in values.items()}
