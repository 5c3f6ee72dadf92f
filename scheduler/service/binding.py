"""Brings a placed pod onto its node, whatever the API server answers, or does not answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession

from ..decisions import Placed
from ..objects import Pod
from . import status
from .claims import ClaimError, Claims
from .entity import Entity
from .journal import Journal
from .ledger import Ledger
from .measures import BindingOutcome, Measures
from .queue import SchedulingQueue
from .recorder import Recorder
from .settings import WriteSettings
from .write import Answer, Write
from .writer import Writer

LOST_TRIES = 4
"""A binding whose reply was lost, and which was not done, is sent again so often: to the same node, where the room is
kept for it, so that the lost one may still arrive without harm."""
ASK_S = 0.2
ASK_MOST_S = 2.0

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Bound:
    """A placed pod on its way: when it was popped, and when its binding was first sent."""

    entity: Entity
    pod: Pod
    node: str
    popped_s: float
    began_s: float
    write: Write | None = None
    tries: int = 0


class Binder:
    """:meth:`bind` never waits; how it ended goes to ledger, queue, recorder and measures.

    ``crashed`` is called with an exception that nobody foresaw.
    """

    def __init__(
        self, api: ApiSession, writer: Writer, claims: Claims, settings: WriteSettings, *, ledger: Ledger,
        queue: SchedulingQueue, recorder: Recorder, journal: Journal, measures: Measures,
        crashed: Callable[[BaseException], object],
    ) -> None:  # fmt: skip
        self._api = api
        self._writer = writer
        self._claims = claims
        self._settings = settings
        self._ledger = ledger
        self._queue = queue
        self._recorder = recorder
        self._journal = journal
        self._measures = measures
        self._crashed = crashed
        self._under_way: dict[str, Bound] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._freed: Callable[[], object] = lambda: None
        self._unclear = 0
        self._logged_s = 0.0

    def __len__(self) -> int:
        """Pods that were placed and whose binding is not settled."""
        return len(self._under_way)

    @property
    def under_way(self) -> Collection[str]:
        """The uids of those pods."""
        return self._under_way.keys()

    def when_freed(self, freed: Callable[[], object]) -> None:
        """``freed`` is called when a binding was settled."""
        self._freed = freed

    def bind(self, entity: Entity, placed: Placed, *, popped_s: float) -> None:
        """Bind a pod that the ledger has assumed on its node."""
        bound = Bound(entity, placed.pod, placed.node, popped_s, time.monotonic())
        self._under_way[placed.pod.metadata.uid] = bound
        if placed.before:
            self._start(self._after_claims(bound, placed))
        else:
            self._send(bound)

    def bind_together(self, gang: list[tuple[Entity, Placed]], *, popped_s: float) -> None:
        """Bind a gang: no pod of it before the claims of all are bound."""
        if not any(placed.before for _, placed in gang):
            for entity, placed in gang:
                self.bind(entity, placed, popped_s=popped_s)
            return
        together = [(Bound(entity, each.pod, each.node, popped_s, time.monotonic()), each) for entity, each in gang]
        self._under_way |= {bound.pod.metadata.uid: bound for bound, _ in together}
        self._start(self._gang_after_claims(together))

    def settled_elsewhere(self, uid: str) -> None:
        """The pod was seen bound, or is gone or over: what was not sent yet need not be."""
        bound = self._under_way.get(uid)
        if bound is not None and bound.write is not None:
            bound.write.cancelled = True

    def node_gone(self, node: str) -> None:
        """Bindings to a node that vanished and were not sent yet are taken back."""
        for bound in self._under_way.values():
            if bound.node == node and bound.write is not None:
                bound.write.cancelled = True

    def take_back_unsent(self) -> None:
        """Give up what has not been sent yet: somebody else will decide it."""
        for bound in self._under_way.values():
            if bound.write is not None and not bound.write.sent_s:
                bound.write.cancelled = True

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crashed(error)

    async def _after_claims(self, bound: Bound, placed: Placed) -> None:
        if await self._claims_bound(bound, placed):
            self._send(bound)

    async def _gang_after_claims(self, together: list[tuple[Bound, Placed]]) -> None:
        done = await asyncio.gather(*(self._claims_bound(bound, placed, alone=False) for bound, placed in together))
        for bound, _ in together:
            if all(done):
                self._send(bound)
            else:
                self._give_up(bound, "failed", "the claims of its gang could not be bound")

    async def _claims_bound(self, bound: Bound, placed: Placed, *, alone: bool = True) -> bool:
        began_s = time.monotonic()
        profile = bound.pod.spec.scheduler_name
        try:
            await self._claims.take(placed)
        except ClaimError as error:
            self._measures.extension_point(
                "PreBind", status="Error", profile=profile, duration_s=time.monotonic() - began_s
            )
            _log.warning("pod %s: %s", bound.pod.key, error)
            if alone:
                self._give_up(bound, "failed", f"binding volumes: {error}", tell=True)
            return False
        self._measures.extension_point(
            "PreBind", status="Success", profile=profile, duration_s=time.monotonic() - began_s
        )
        return True

    def _send(self, bound: Bound) -> None:
        meta = bound.pod.metadata
        body = (
            b'{"apiVersion":"v1","kind":"Binding","metadata":{"name":"%b","namespace":"%b","uid":"%b"},'
            b'"target":{"kind":"Node","name":"%b"}}'
        ) % (meta.name.encode(), meta.namespace.encode(), meta.uid.encode(), bound.node.encode())

        def settled(answer: Answer) -> None:
            self._settle(bound, answer)

        bound.write = Write("POST", status.path(bound.pod, "/binding"), body, settled)
        self._writer.submit(bound.write)

    def _settle(self, bound: Bound, answer: Answer) -> None:
        if answer.ok:
            self._succeed(bound)
        elif answer.fenced:
            self._give_up(bound, "fenced", "the lease was too short to bind", again=True)
        elif not answer.sent:
            self._give_up(bound, "gone", "taken back before it was sent: pod settled or node gone", again=True)
        elif answer.status == 404:
            self._start(self._find_out(bound, "gone", "404"))
        elif answer.status in (0, 409) or answer.status >= 500:
            self._start(
                self._find_out(bound, "conflict" if answer.status == 409 else "failed", str(answer.status or "nothing"))
            )
        else:
            why = f"binding rejected: {answer.status} {answer.body[:300].decode(errors='replace')}"
            _log.error("pod %s to node %s: %s", bound.pod.key, bound.node, why)
            self._give_up(bound, "refused", why, tell=True)

    async def _find_out(self, bound: Bound, outcome: BindingOutcome, told: str) -> None:
        """Nobody knows whether the pod is bound, or to where: ask, before anything else is done."""
        _log.debug("pod %s to node %s: answered %s; asking where it is", bound.pod.key, bound.node, told)
        self._asked(told)
        pod = await self._read(bound.pod)
        if pod is None or pod.metadata.uid != bound.pod.metadata.uid:
            self._give_up(bound, "gone", "the pod is gone")
            self._queue.remove(bound.pod.metadata.uid)
        elif pod.spec.node_name == bound.node:
            self._succeed(bound)
        elif pod.spec.node_name:
            _log.warning("pod %s: somebody else bound it to %s", pod.key, pod.spec.node_name)
            self._give_up(bound, "conflict", f"bound to {pod.spec.node_name} by somebody else", again=True)
            self._ledger.adopt(pod)
        elif pod.metadata.deletion_timestamp:
            self._give_up(bound, "gone", "the pod is being deleted")
            self._ledger.adopt(pod)
        elif outcome == "failed" and bound.tries < LOST_TRIES:
            bound.tries += 1
            await asyncio.sleep(min(ASK_MOST_S, ASK_S * 2.0**bound.tries))
            self._send(bound)
        else:
            if outcome == "failed":  # a lost one may still be on its way (see fence)
                await asyncio.sleep(2 * self._settings.request_limit_s)
            self._give_up(bound, outcome, f"not bound (answered {told})", tell=True)

    def _asked(self, told: str) -> None:
        """One line a second, however many replies are lost at once."""
        self._unclear += 1
        if (now_s := time.monotonic()) - self._logged_s >= 1.0:
            _log.warning("%d bindings were not plainly answered (the last: %s); asking after them", self._unclear, told)
            self._unclear, self._logged_s = 0, now_s

    async def _read(self, pod: Pod) -> Pod | None:
        """The pod as it is now, however long it takes to hear of it; ``None`` when it is gone."""
        delay_s = ASK_S
        while True:
            try:
                return await self._api.read(Pod, status.path(pod), timeout_s=self._settings.request_limit_s)
            except ApiError as error:
                if error.status == 404:
                    return None
                _log.warning("pod %s: is it bound? %s", pod.key, error)
            await asyncio.sleep(delay_s)
            delay_s = min(ASK_MOST_S, delay_s * 2)

    def _succeed(self, bound: Bound) -> None:
        now_s, entity, pod = time.monotonic(), bound.entity, bound.pod
        profile = pod.spec.scheduler_name
        uid = pod.metadata.uid
        self._under_way.pop(uid, None)
        self._queue.remove(uid)
        self._ledger.expect(uid)
        self._recorder.scheduled(pod, bound.node)
        self._journal.ended(uid, "bound")
        measures = self._measures
        measures.binding("bound", duration_s=now_s - bound.began_s)
        measures.extension_point("Bind", status="Success", profile=profile, duration_s=now_s - bound.began_s)
        measures.attempt("scheduled", profile=profile, duration_s=now_s - bound.popped_s)
        measures.pod_scheduled(attempts=entity.attempts, latency_s=now_s - entity.since_s, after_flush=entity.flushed)
        self._freed()

    def _give_up(
        self, bound: Bound, outcome: BindingOutcome, why: str, *, tell: bool = False, again: bool = False
    ) -> None:
        """The pod did not get its node. ``again``: no fault of the pod's, it is tried at once; ``tell``: it is told."""
        now_s, uid = time.monotonic(), bound.pod.metadata.uid
        self._under_way.pop(uid, None)
        self._journal.ended(uid, why)
        self._measures.binding(outcome, duration_s=now_s - bound.began_s)
        if self._ledger.unassume(uid) and uid in self._queue:
            if tell:
                self._tell(bound.pod, why)
            if again:
                self._queue.put_back(bound.entity)
            else:
                self._measures.attempt(
                    "error", profile=bound.pod.spec.scheduler_name, duration_s=now_s - bound.popped_s
                )
                self._queue.fail(bound.entity)
        self._freed()

    def _tell(self, pod: Pod, why: str) -> None:
        self._recorder.failed(pod, why)
        patch = status.not_scheduled(self._ledger.get(pod.metadata.uid) or pod, "SchedulerError", why)
        if patch is not None:
            self._writer.submit(Write("PATCH", status.path(pod, "/status"), patch, lambda _: None, status.STRATEGIC))
