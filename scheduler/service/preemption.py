"""Carries out what the engine chose: victims are told, deleted and reported, and their room is kept for the pod."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..decisions import Engine, NoPreemption, Preemption
from ..objects import Pod
from . import status
from .ledger import Ledger
from .measures import Measures
from .queue import SchedulingQueue
from .recorder import Recorder
from .write import Write
from .writer import Writer

VICTIM_SEEN_S = 30.0
"""Deleting a victim shows in the watch long before; after this we no longer wait to see it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Under:
    victims: tuple[str, ...]
    since_s: float


class Preemptor:
    """Used by the cycle; ``crashed`` is called with an exception that nobody foresaw."""

    def __init__(
        self, engine: Engine, writer: Writer, *, ledger: Ledger, queue: SchedulingQueue, recorder: Recorder,
        measures: Measures, crashed: Callable[[BaseException], object],
    ) -> None:  # fmt: skip
        self._engine = engine
        self._writer = writer
        self._ledger = ledger
        self._queue = queue
        self._recorder = recorder
        self._measures = measures
        self._crashed = crashed
        self._under_way: dict[str, _Under] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def try_for(self, pod: Pod) -> Preemption | NoPreemption | None:
        """Make room for a pod that no node could take. ``None``: its victims are still going; it has to wait."""
        if self._still_going(pod.metadata.uid):
            return None
        began_s = time.monotonic()
        self._measures.preemption_attempt()
        chosen = self._engine.preempt(pod)
        found = "Success" if isinstance(chosen, Preemption) else "Unschedulable"
        self._measures.extension_point(
            "PostFilter", status=found, profile=pod.spec.scheduler_name, duration_s=time.monotonic() - began_s
        )
        if isinstance(chosen, Preemption):
            self._begin(chosen)
        return chosen

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _still_going(self, uid: str) -> bool:
        under = self._under_way.get(uid)
        if under is None:
            return False
        there = (self._ledger.get(victim) for victim in under.victims)
        untouched = any(pod is not None and not pod.over and not pod.metadata.deletion_timestamp for pod in there)
        if untouched and time.monotonic() - under.since_s < VICTIM_SEEN_S:
            return True
        del self._under_way[uid]
        return False

    def _begin(self, chosen: Preemption) -> None:
        pod = chosen.pod
        victims = tuple(each for each in chosen.victims if not each.metadata.deletion_timestamp)
        self._measures.preemption(victims=len(chosen.victims), violations=chosen.violations)
        if chosen.violations:
            _log.warning(
                "pod %s: preempting on %s violates %d disruption budgets; there is no better way",
                pod.key, chosen.node, chosen.violations,
            )  # fmt: skip
        self._yield_room(pod, chosen.node)
        self._ledger.nominate(pod, chosen.node)
        self._under_way[pod.metadata.uid] = _Under(tuple(each.metadata.uid for each in victims), time.monotonic())
        task = asyncio.create_task(self._evict(pod, chosen.node, victims))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _yield_room(self, pod: Pod, node: str) -> None:
        """Pods of lower priority that were promised this node look for another."""
        for other in self._ledger.nominated_to(node):
            if other.priority < pod.priority:
                self._ledger.nominate(other, None)
                patch = status.nomination_taken_back(other)
                self._writer.submit(
                    Write("PATCH", status.path(other, "/status"), patch, lambda _: None, status.STRATEGIC)
                )
                self._queue.activate(other.metadata.uid, "ForceActivate")

    async def _evict(self, pod: Pod, node: str, victims: tuple[Pod, ...]) -> None:
        done = await asyncio.gather(*(self._evict_one(pod, node, victim) for victim in victims))
        if not all(done):
            self._under_way.pop(pod.metadata.uid, None)
            self._queue.activate(pod.metadata.uid, "ForceActivate")

    async def _evict_one(self, pod: Pod, node: str, victim: Pod) -> bool:
        """Whether the victim is going. One that is gone already is as good."""
        present = self._ledger.get(victim.metadata.uid) or victim
        patch = status.disruption_target(present, pod.spec.scheduler_name)
        if patch is not None:
            answer = await self._writer.write(
                "PATCH", status.path(victim, "/status"), patch, content_type=status.STRATEGIC
            )
            if answer.status in (404, 409):
                return True
            if not answer.ok:
                _log.warning("victim %s: not told that it is preempted (%s)", victim.key, answer.status or "no answer")
                return False
        answer = await self._writer.write("DELETE", status.path(victim), status.delete_options(victim))
        if answer.status in (404, 409):
            return True
        if not answer.ok:
            _log.warning("victim %s: not deleted (%s)", victim.key, answer.status or "no answer")
            return False
        self._recorder.preempted(victim, pod, node)
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crashed(error)
