"""The scheduling cycle: takes what is due, lets the engine decide, and passes on what it decided."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Literal

from ..decisions import Decision, Engine, Explanation, NoPreemption, Placed, Preemption, Unplaced
from ..objects import Pod
from . import status
from .binding import Binder
from .entity import Entity
from .fence import Fence
from .hints import DECLINED
from .journal import Journal
from .ledger import Ledger
from .measures import Measures
from .preemption import Preemptor
from .queue import SchedulingQueue
from .recorder import Recorder
from .settings import CycleSettings, WriteSettings
from .write import Write
from .writer import Writer

LOOK_S = 0.05
"""How often a closed fence is looked at."""
EXPLAINED_EVERY_S = 0.5
"""At most so often a failure is explained at once; the others can be explained on the state of the day."""
NOT_FOR_GANGS = "preemption: not done for gangs."

_log = logging.getLogger(__name__)


class Cycle:
    """:meth:`run` decides for ever; cancelling it stops between two batches, and nothing that was decided is lost."""

    def __init__(
        self, engine: Engine, settings: CycleSettings, write: WriteSettings, *, queue: SchedulingQueue, ledger: Ledger,
        binder: Binder, preemptor: Preemptor, recorder: Recorder, writer: Writer, journal: Journal, fence: Fence,
        measures: Measures,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._settings = settings
        self._request_limit_s = write.request_limit_s
        self._queue = queue
        self._ledger = ledger
        self._binder = binder
        self._preemptor = preemptor
        self._recorder = recorder
        self._writer = writer
        self._journal = journal
        self._fence = fence
        self._measures = measures
        self._stirred = asyncio.Event()
        self._pod_s = 0.001
        self._explained_s = 0.0
        self._stopped = False
        binder.when_freed(self.wake)

    def wake(self) -> None:
        """There may be something to do."""
        self._stirred.set()

    def stop(self) -> None:
        """Decide nothing more, ever."""
        self._stopped = True

    async def run(self) -> None:
        while True:
            self._stirred.clear()
            if not self._fence.permits(self._request_limit_s):
                await asyncio.sleep(LOOK_S)
            elif self._stopped or len(self._binder) >= self._settings.decided_ahead or not self._queue.ready:
                await self._pause()
            else:
                self._batch()
                await asyncio.sleep(0)

    def tell_impatient(self) -> None:
        """Tell the pods of gangs that lack members for too long."""
        for entity in self._queue.impatient():
            self._measures.gang_waited(result="timeout", duration_s=time.monotonic() - entity.since_s)
            for pod in entity.pods:
                self._tell(pod, self._queue.gangs.explain(entity))

    async def _pause(self) -> None:
        """Until something stirs, or a back-off is over."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stirred.wait(), self._queue.ripens_in_s)

    def _batch(self) -> None:
        """Decide as many pods as fit into the time of a batch."""
        settings = self._settings
        most = max(1, min(settings.batch_pods, int(settings.batch_s / self._pod_s)))
        popped_s = time.monotonic()
        entities = self._queue.pop(most)
        if not entities:
            return
        if entities[0].gang is not None:
            self._decide_gang(entities[0], popped_s)
            return
        pods = [pod for entity in entities for pod in entity.members.values()]
        decisions = self._decided(entities, pods, popped_s)
        if decisions is None:
            return
        self._measure(len(pods), time.monotonic() - popped_s)
        for place, (entity, decision) in enumerate(zip(entities, decisions, strict=True)):
            self._settle(entity, decision, popped_s)
            if isinstance(decision, Unplaced) and time.monotonic() - popped_s > settings.batch_s:
                self._take_back(entities[place + 1 :], decisions[place + 1 :], popped_s)
                return

    def _decided(self, entities: Sequence[Entity], pods: list[Pod], popped_s: float) -> list[Decision] | None:
        """The engine's answers; ``None`` when it failed: then those pods were dealt with, each on its own."""
        try:
            return self._engine.decide(pods)
        except Exception:  # noqa: BLE001 - what is at fault is found below, one by one
            _log.exception("the engine failed on %s", ", ".join(pod.key for pod in pods[:10]))
        for pod in pods:
            self._engine.forget(pod)
        for entity, pod in zip(entities, pods, strict=True):
            try:
                (decision,) = self._engine.decide((pod,))
            except Exception as error:  # noqa: BLE001 - one pod that nobody foresaw must not keep the others waiting
                self._fail(entity, (pod,), f"the scheduler failed on this pod: {error!r}", popped_s)
            else:
                self._settle(entity, decision, popped_s)
        return None

    def _fail(self, entity: Entity, pods: Sequence[Pod], why: str, popped_s: float) -> None:
        """An error of ours: logged, told to the pods, and tried again later."""
        for pod in pods:
            _log.error("pod %s: %s", pod.key, why)
            self._engine.forget(pod)
            self._measures.attempt("error", profile=entity.profile, duration_s=time.monotonic() - popped_s)
            self._tell(pod, why, reason="SchedulerError")
        self._queue.fail(entity)

    def _take_back(self, entities: Sequence[Entity], decisions: Sequence[Decision], popped_s: float) -> None:
        """Looking for victims took long: the rest is settled where that is quick, else decided in the next batch."""
        for entity, decision in zip(entities, decisions, strict=True):
            if isinstance(decision, Placed) or not decision.resolvable:
                self._settle(entity, decision, popped_s)
            else:
                self._queue.put_back(entity)

    def _measure(self, pods: int, duration_s: float) -> None:
        self._pod_s = max(1e-6, 0.5 * self._pod_s + 0.5 * duration_s / pods)
        self._measures.algorithm(pods=pods, duration_s=duration_s)

    def _settle(self, entity: Entity, decision: Decision, popped_s: float) -> None:
        match decision:
            case Placed():
                self._journal.decided(decision, attempt=entity.attempts)
                self._ledger.assume(decision.pod, decision.node)
                self._binder.bind(entity, decision, popped_s=popped_s)
            case Unplaced():
                self._refuse(entity, decision, popped_s)

    def _decide_gang(self, entity: Entity, popped_s: float) -> None:
        least = self._queue.gangs.lacking(entity) or 1
        try:
            decisions = self._engine.decide_gang(entity.pods, least=least)
        except Exception as error:  # noqa: BLE001 - one gang that nobody foresaw must not keep the others waiting
            _log.exception("the engine failed on gang %s", entity.gang)
            self._fail(entity, entity.pods, f"the scheduler failed on this gang: {error!r}", popped_s)
            return
        now_s = time.monotonic()
        self._measure(len(decisions), now_s - popped_s)
        placed = [decision for decision in decisions if isinstance(decision, Placed)]
        refused = [decision for decision in decisions if isinstance(decision, Unplaced)]
        self._measures.gang_waited(result="success" if placed else "unschedulable", duration_s=now_s - entity.since_s)
        if not placed:
            self._refuse_gang(entity, refused, popped_s)
            return
        for decision in refused:  # more than the gang needs: they go on alone
            self._refuse(self._queue.split(entity, decision.pod.metadata.uid, stays=False), decision, popped_s)
        together = []
        for each in placed:
            self._journal.decided(each, attempt=entity.attempts)
            self._ledger.assume(each.pod, each.node)
            together.append((self._queue.split(entity, each.pod.metadata.uid, stays=True), each))
        self._binder.bind_together(together, popped_s=popped_s)

    def _refuse_gang(self, entity: Entity, refused: Sequence[Unplaced], popped_s: float) -> None:
        plugins = frozenset[str]().union(*(self._plugins(decision) for decision in refused))
        begun = self._queue.gangs.explain_begun(entity)
        for decision in refused:
            self._journal.decided(decision, attempt=entity.attempts)
            self._measures.attempt("unschedulable", profile=entity.profile, duration_s=time.monotonic() - popped_s)
            self._tell(decision.pod, f"{decision.message}{begun} {NOT_FOR_GANGS}")
        self._queue.refuse(entity, plugins)

    def _refuse(self, entity: Entity, decision: Unplaced, popped_s: float) -> None:
        pod, message = decision.pod, decision.message
        chosen: Preemption | NoPreemption | None = None
        if decision.declined is None:  # where no eviction helps the engine says that
            chosen = self._preemptor.try_for(pod)
        nominated = None
        match chosen:
            case Preemption():
                nominated, count = chosen.node, len(chosen.victims)
                found = f"found a potential placement for pod on node {nominated}, preempting {count} victims"
                message = f"{message} preemption: {found}"
            case NoPreemption():
                message = f"{message} preemption: {chosen.message}"
                nominated = ""
        if nominated == "" and self._ledger.nominated_node(pod.metadata.uid):
            self._ledger.nominate(pod, None)
        self._journal.decided(
            decision, attempt=entity.attempts, preemption=chosen if isinstance(chosen, Preemption) else None,
            explanation=self._explained(pod),
        )  # fmt: skip
        self._measures.attempt("unschedulable", profile=entity.profile, duration_s=time.monotonic() - popped_s)
        self._queue.refuse(entity, self._plugins(decision))
        self._tell(pod, message, nominated=nominated)

    def _plugins(self, decision: Unplaced) -> frozenset[str]:
        return frozenset((DECLINED,)) if decision.declined is not None else decision.plugins

    def _explained(self, pod: Pod) -> Explanation | None:
        now_s = time.monotonic()
        if now_s - self._explained_s < EXPLAINED_EVERY_S:
            return None
        self._explained_s = now_s
        return self._engine.explain(pod)

    def _tell(
        self, pod: Pod, message: str, *, reason: Literal["Unschedulable", "SchedulerError"] = "Unschedulable",
        nominated: str | None = None,
    ) -> None:  # fmt: skip
        """The event and the condition, each only if it is news."""
        self._recorder.failed(pod, message)
        present = self._ledger.get(pod.metadata.uid) or pod
        patch = status.not_scheduled(present, reason, message, nominated=nominated)
        if patch is not None:
            self._writer.submit(Write("PATCH", status.path(pod, "/status"), patch, lambda _: None, status.STRATEGIC))
