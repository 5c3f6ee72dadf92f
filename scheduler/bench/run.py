"""A whole call: for every row its state once, its ceilings, its rounds in random order, its arrivals."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from idcbench.progress import Progress, silent

from . import arrival, ceiling, creating, drain
from .arena import Arena
from .contenders import Contender
from .outcome import Arrival, Ceiling, Measured, Round, Step
from .planning import SHARES, Wanted
from .rows import Row
from .workload import Workload

EMPTY = "empty"
BESIDE: Literal["BE"] = "BE"
"""The ceiling that takes part in every pair, so that machine and moment are the same."""
Said = Callable[[str], None]


@dataclass(slots=True)
class Bench:
    """What is measured, where, by whom; :meth:`measured` is all that came of it so far.

    ``arenas`` by the names that ``wanted`` uses; ``say`` gets a line for each thing that was measured.
    """

    wanted: Wanted
    arenas: Mapping[str, Arena]
    contenders: Mapping[str, Contender]
    folder: Path
    versions: dict[str, str]
    progress: Progress = silent
    say: Said = lambda _: None
    _ceilings: list[Ceiling] = field(default_factory=list)
    _rounds: list[Round] = field(default_factory=list)
    _arrivals: list[Arrival] = field(default_factory=list)
    _failures: list[str] = field(default_factory=list)

    def measured(self) -> Measured:
        return Measured(
            scale=self.wanted.scale,
            seed=self.wanted.seed,
            cores=len(os.sched_getaffinity(0)),
            versions=self.versions,
            ceilings=tuple(self._ceilings),
            rounds=tuple(self._rounds),
            arrivals=tuple(self._arrivals),
            failures=tuple(self._failures),
        )

    async def run(self) -> None:
        """Measure everything. A round that fails is told and counted; the others go on.

        Raises :class:`~idcbench.errors.IdcError` when an arena or a workload fails.
        """
        for row in self.wanted.scaled_rows():
            for name in self.wanted.arenas:
                await self._row(row, name)

    async def _row(self, row: Row, arena_name: str) -> None:
        arena, workload = self.arenas[arena_name], row.workload()
        await self._create(arena, workload)
        bindings, both = await ceiling.measure(arena, workload)
        self._keep_ceiling(bindings)
        self._tell(both)
        beside: list[Step] = []
        try:
            for pair, name in self.wanted.order(row, arena_name, beside=(BESIDE,)):
                if name == BESIDE:
                    connections = ceiling.best_connections(both)
                    await arena.restore(workload.name)
                    beside.append(await ceiling.whole(arena, workload, BESIDE, connections=connections))
                else:
                    await self._round(arena, workload, self.contenders[name], pair)
        finally:
            self._keep_ceiling(ceiling.with_rounds(both, beside))
        if self.wanted.arrivals:
            await self._arrive(arena, row, workload, arena_name)
        await arena.discard(workload.name)
        await arena.stop()

    async def _create(self, arena: Arena, workload: Workload) -> None:
        await arena.restore(EMPTY)
        await creating.create(arena.access, workload, progress=self.progress)
        await arena.keep(workload.name)
        self.progress("")  # from here on nothing is drawn: it would take processor time from what is measured

    async def _round(self, arena: Arena, workload: Workload, contender: Contender, pair: int) -> None:
        try:
            done = await drain.drain(arena, workload, contender, folder=self.folder, pair=pair)
        except drain.RoundError as error:
            self._fail(str(error))
            return
        self._rounds.append(done)
        self.say(
            f"{done.row}, {contender.name}, round {pair}: {done.rate:.0f} pods/s, {done.cpu_ms_per_pod:.2f} ms of "
            f"CPU a pod, {done.events_written} events, {done.events_missing} missing"
        )

    async def _arrive(self, arena: Arena, row: Row, workload: Workload, arena_name: str) -> None:
        bare = ceiling.without_pods(workload)
        await self._create(arena, bare)
        highest = await ceiling.highest_arrival(arena, workload)
        self._keep_ceiling(highest)
        for pair, name in self.wanted.order(row, arena_name):
            for share in SHARES:
                try:
                    done = await arrival.arrive(
                        arena,
                        workload,
                        self.contenders[name],
                        folder=self.folder,
                        pair=pair,
                        share=share,
                        rate=share * highest.rate,
                        duration_s=self.wanted.arrival_s,
                    )
                except drain.RoundError as error:
                    self._fail(str(error))
                    continue
                self._arrivals.append(done)
                self.say(
                    f"{done.row}, {name}, {done.rate:.0f} pods/s arriving, round {pair}: created to bound "
                    f"p50 {done.p50_ms:.1f} ms, p99 {done.p99_ms:.1f} ms"
                )
        await arena.discard(bare.name)

    def _keep_ceiling(self, found: Ceiling) -> None:
        self._ceilings.append(found)
        self._tell(found)

    def _tell(self, found: Ceiling) -> None:
        self.say(f"{found.row}, ceiling {found.kind}: {found.rate:.0f}/s; bound by {found.bound_by}")

    def _fail(self, why: str) -> None:
        self._failures.append(why)
        self.say(f"FAILED: {why}")
