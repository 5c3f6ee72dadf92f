"""The scheduler as one thing that runs: feed, queue, cycle, bindings and election joined."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from typing import Any

from idcbench.kube.access import Access
from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession

from ..decisions import Engine
from .binding import Binder
from .claims import Claims
from .cycle import Cycle
from .doubting import DoubtingSession, Vigil
from .election import Election
from .feed import Feed
from .fence import Fence, boot_s
from .gangs import Gangs
from .hearing import Hearing
from .journal import Journal
from .ledger import Ledger
from .measures import Gauges, Measures
from .preemption import Preemptor
from .queue import SchedulingQueue
from .recorder import Recorder
from .settings import ServiceSettings
from .writer import Writer

TEND_S = 1.0
EVENTS_AT_END_S = 10.0
"""So long a process that is told to stop goes on writing events; the lease is free by then."""

_log = logging.getLogger(__name__)


class SchedulerService:
    """Schedules until it is told to stop. Made inside a running event loop; :meth:`run` is called once.

    ``engine`` is called from this loop only. The properties may be read at any time.
    """

    def __init__(self, access: Access, engine: Engine, settings: ServiceSettings, measures: Measures) -> None:
        self.settings = settings
        self.journal = Journal(settings.journal)
        self.engine = engine
        self._measures = measures
        self._fence = Fence() if settings.lease else Fence.always_open()
        members = access.members or (access.server,)
        self._api = DoubtingSession(access, server=members)
        self._lease_api = ApiSession(access, server=members, read_retries=0)
        self._crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writer = Writer(access, settings.write, self._fence, measures, crashed=self._crashed)
        self._gangs = Gangs()
        self._queue = SchedulingQueue(settings.queue, measures, self._gangs, wake=lambda: self._cycle.wake())
        self._ledger = Ledger(engine, self._queue, settings.scheduler_names, settled=self._pod_settled)
        self._recorder = Recorder(self._writer, settings.write, measures)
        self._claims = Claims(self._writer, limit_s=settings.write.claim_limit_s)
        parts: dict[str, Any] = {"ledger": self._ledger, "queue": self._queue, "recorder": self._recorder}
        self._binder = Binder(
            self._api, self._writer, self._claims, settings.write, journal=self.journal, measures=measures,
            crashed=self._crashed, **parts,
        )  # fmt: skip
        self._preemptor = Preemptor(engine, self._writer, measures=measures, crashed=self._crashed, **parts)
        self._cycle = Cycle(
            engine, settings.cycle, settings.write, binder=self._binder, preemptor=self._preemptor,
            writer=self._writer, journal=self.journal, fence=self._fence, measures=measures, **parts,
        )  # fmt: skip
        self._hearing = Hearing(
            engine, ledger=self._ledger, queue=self._queue, claims=self._claims, binder=self._binder
        )
        self._feed = Feed(self._api, settings.feed, self._hearing.hear)
        self._filled = asyncio.Event()
        self._leading = False

    @property
    def filled(self) -> bool:
        """Whether everything was listed: the engine knows the cluster (``/readyz``)."""
        return self._filled.is_set()

    @property
    def leading(self) -> bool:
        """Whether this process decides."""
        return self._leading

    @property
    def holder(self) -> str:
        """Who holds the lease, as far as is known; empty without election."""
        return self._election.holder if self._election is not None else ""

    def gauges(self) -> Gauges:
        """The state at this moment."""
        return Gauges(
            pending=self._queue.pending(), pending_gangs=self._queue.pending_gangs(),
            unschedulable=self._queue.unschedulable(), cached_nodes=len(self._hearing.nodes),
            cached_pods=self._ledger.assigned + self._ledger.assumed, assumed_pods=self._ledger.assumed,
            bindings_in_flight=len(self._binder), events_waiting=self._recorder.waiting, leader=self._leading,
        )  # fmt: skip

    _election: Election | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Schedule until ``stop`` is set; then finish the bindings in flight, release the lease, and write the events.

        Raises ``ApiError`` when the cluster cannot be read, or could not be reached for long; whatever else it raises
        is a bug.
        """
        async with self._api, self._lease_api, self._writer:
            try:
                await self._run_until(stop)
            finally:
                self._binder.close()
                self._preemptor.close()

    async def _run_until(self, stop: asyncio.Event) -> None:
        tasks = [asyncio.create_task(work) for work in (self._recorder.tend(), self._tend())]
        if self.settings.lease is not None:
            self._election = Election(
                self._lease_api, self.settings.lease, self._fence,
                request_limit_s=self.settings.write.request_limit_s, watches=self._api,
            )  # fmt: skip
            tasks.append(asyncio.create_task(self._election.follow()))
        try:
            filling = asyncio.create_task(self._fill())
            tasks.append(filling)
            await self._first(stop, filling, *tasks[:-1])
            if not stop.is_set():
                tasks += [asyncio.create_task(work) for work in self._feed.follow()]
                self._filled.set()
                tasks.append(leading := asyncio.create_task(self._lead_for_ever()))
                await self._first(stop, None, *(task for task in tasks if task is not filling))
                await self._finish(leading)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _first(
        self, stop: asyncio.Event, awaited: asyncio.Task[None] | None, *others: asyncio.Task[None]
    ) -> None:
        """Wait for ``stop``, or for ``awaited`` to be done. Raises what any of them raised."""
        stopping = asyncio.create_task(stop.wait())
        ends: set[asyncio.Future[Any]] = {stopping, self._crash, *others}
        if awaited is not None:
            ends.add(awaited)
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            stopping.cancel()

    async def _fill(self) -> None:
        began_s = time.monotonic()
        await self._feed.fill()
        gc.freeze()  # what was listed stays: a full collection of it would stall the loop by some 50 ms
        _log.info(
            "knows %d nodes and %d pods after %.2f s; %d wait",
            len(self._hearing.nodes), self._ledger.assigned, time.monotonic() - began_s, len(self._queue),
        )  # fmt: skip

    async def _lead_for_ever(self) -> None:
        election = self._election
        if election is None:
            await self._lead()
            return
        while True:
            await election.acquire()
            holding = asyncio.create_task(election.hold())
            leading = asyncio.create_task(self._take_over(election))
            try:
                done, _ = await asyncio.wait((holding, leading), return_when=asyncio.FIRST_COMPLETED)
                for each in done:
                    each.result()
            finally:
                for each in (leading, holding):
                    each.cancel()
                await asyncio.gather(leading, holding, return_exceptions=True)
                self._set_leading(False)

    async def _take_over(self, election: Election) -> None:
        """Wait until nothing of an earlier leader is under way, learn what it did, and lead."""
        await asyncio.sleep(max(0.0, election.clear_s - boot_s()))
        while True:
            try:
                listing = await self._feed.list_pods()
                break
            except ApiError as error:
                _log.warning("pods could not be listed: %s; nothing is bound before they are", error)
                await asyncio.sleep(0.2)
        self._ledger.drop_assumptions(but=self._binder.under_way)
        self._ledger.reconcile(listing)
        await self._lead()

    async def _lead(self) -> None:
        self._set_leading(True)
        await self._cycle.run()

    async def _finish(self, leading: asyncio.Task[None]) -> None:
        """Stop deciding, finish what was sent, hand over, and write the events that are left."""
        limit_s = self.settings.write.request_limit_s
        election = self._election
        self._cycle.stop()
        self._binder.take_back_unsent()
        if not await self._writer.drain(events=False, limit_s=limit_s):
            _log.error("%d writes were not answered within %g s", self._writer.waiting, limit_s)
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        if election is not None:
            await election.release()
        if not await self._writer.drain(events=True, limit_s=EVENTS_AT_END_S):
            _log.error("%d events were not written at the end", self._recorder.waiting)

    async def _tend(self) -> None:
        vigil = Vigil(
            self._api, {"a binding of ours": lambda: self._ledger.unheard_s, "the lease": self._lease_unheard_s}
        )
        while True:
            await asyncio.sleep(TEND_S)
            self._queue.flush()
            if self.filled:
                vigil.look()
            if self._leading:
                self._cycle.tell_impatient()

    def _lease_unheard_s(self) -> float:
        return self._election.unheard_s if self._election is not None else 0.0

    def _pod_settled(self, uid: str) -> None:
        self._binder.settled_elsewhere(uid)

    def _set_leading(self, leading: bool) -> None:
        if leading != self._leading:
            self._leading = leading
            self._measures.leading(leading)

    def _crashed(self, error: BaseException) -> None:
        if not self._crash.done():
            self._crash.set_exception(error)
