"""The scheduling queue: what is tried next, what backs off, and what waits for something to change."""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from ..objects import Pod
from .changes import Change, target_pod_changes
from .entity import Entity, gang_key
from .gangs import Gangs
from .hints import HELPED_BY, WHATEVER
from .measures import Measures, QueueName
from .parked import Parked
from .settings import QueueSettings

QUEUES: tuple[QueueName, ...] = ("active", "backoff", "unschedulable", "gated", "incomplete")


class SchedulingQueue:
    """Entities by uid of their pods. Highest priority first, then who has been queued longest.

    A gang that is partly bound, and not enough, goes before everything: whoever began it found room for all of it, and
    the rest of that room must not be given to others first.

    ``wake`` is called when something became active. Not thread-safe, never waits. ``clock`` is for tests.
    """

    def __init__(
        self, settings: QueueSettings, measures: Measures, gangs: Gangs, *, wake: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.gangs = gangs
        self._settings = settings
        self._measures = measures
        self._wake = wake
        self._clock = clock
        self._tickets = itertools.count(1)
        self._entities: dict[str, Entity] = {}
        self._active: list[tuple[bool, int, float, int, Entity]] = []
        self._backoff: list[tuple[float, int, Entity]] = []
        self._failed: list[tuple[float, int, Entity]] = []
        self._parked = Parked()
        self._pods: Counter[QueueName] = Counter()
        self._gangs: Counter[QueueName] = Counter()

    def __contains__(self, uid: str) -> bool:
        return uid in self._entities

    def __len__(self) -> int:
        """Pods that have no node yet, those being decided and bound included."""
        return len(self._entities)

    def add(self, pod: Pod) -> None:
        """A pending pod is there, or has changed; also one that is being decided or bound."""
        uid = pod.metadata.uid
        entity = self._entities.get(uid)
        if entity is None:
            self._enter(pod)
            return
        before = entity.members[uid]
        entity.members[uid] = pod
        if entity.place == "gated" and not pod.spec.scheduling_gates:
            self.remove(uid)
            self._enter(pod, "TargetPodUpdatePodSchedulingGatesEliminated")
        elif entity.place == "incomplete" or (entity.place == "active" and pod.priority != before.priority):
            self._move(entity, "active", "UnscheduledPodUpdate")
        elif entity.place == "unschedulable":
            self._target_changed(entity, target_pod_changes(pod, before))

    def remove(self, uid: str) -> bool:
        """The pod needs no node any more: it has one, or is going. What is left of its gang goes on."""
        entity = self._entities.pop(uid, None)
        if entity is None:
            return False
        place = entity.place
        self._leave(entity)
        del entity.members[uid]
        if entity.members and place is not None:
            self._arrange(entity, "active" if place == "incomplete" else place, "UnscheduledPodDelete")
        return True

    def member_bound(self, pod: Pod) -> None:
        """A pod was seen with a node: it counts for its gang. What waits of that may be enough now, and goes on."""
        self.gangs.bound(pod)
        entity = self.gangs.gathered(pod)
        if entity is None or entity.place not in ("active", "incomplete", "unschedulable"):
            return
        if entity.place == "incomplete" or self.gangs.begun(entity) != entity.begun:
            self._move(entity, "active", "AssignedPodAdd")

    def pop(self, most: int) -> list[Entity]:
        """The next entities to decide: at most ``most`` pods, or one gang.

        They are in no queue until :meth:`refuse`, :meth:`fail` or :meth:`put_back`; :meth:`remove` ends their story.
        """
        self._ripen()
        if not self._pods["active"]:
            self._borrow(most)
        batch: list[Entity] = []
        while self._active and len(batch) < most:
            _, _, _, ticket, entity = self._active[0]
            if ticket == entity.ticket and entity.gang is not None and batch:
                break
            heapq.heappop(self._active)
            if ticket != entity.ticket:
                continue
            self._leave(entity)
            entity.attempts += 1
            batch.append(entity)
            if entity.gang is not None:
                break
        return batch

    def refuse(self, entity: Entity, plugins: Iterable[str]) -> None:
        """No node could take it: it waits for what can satisfy these filters."""
        entity.refused += 1
        entity.failed = entity.flushed = False
        entity.plugins = frozenset(plugins) or frozenset((WHATEVER,))
        entity.retry_s = self._clock() + self.backoff_s(entity)
        self._arrange(entity, "unschedulable", "ScheduleAttemptFailure")

    def fail(self, entity: Entity) -> None:
        """The attempt ended by an error that is not the pod's: it is tried again when its back-off is over."""
        entity.refused += 1
        entity.failed = True
        entity.plugins = frozenset()
        entity.retry_s = self._clock() + self.backoff_s(entity)
        self._arrange(entity, "backoff", "ScheduleAttemptFailure")

    def put_back(self, entity: Entity) -> None:
        """It was popped but not tried after all; it goes to the front of its priority."""
        entity.attempts = max(0, entity.attempts - 1)
        self._arrange(entity, "active", "", queued_s=entity.queued_s)

    def split(self, entity: Entity, uid: str, *, stays: bool) -> Entity:
        """Take a pod out of a gang that was decided, to go on alone; ``stays``: it counts as of its gang still."""
        pod = entity.members.pop(uid)
        alone = replace(entity, members={uid: pod}, gang=entity.gang if stays else None, place=None)
        self._entities[uid] = alone
        return alone

    def changed(self, change: Change) -> None:
        """Something changed in the cluster: those it can help are tried again, after what is left of their back-off."""
        for entity in self._parked.helped_by(change):
            self._activate(entity, change.label)

    def groups_changed(self, label: str) -> None:
        """A PodGroup came, went or changed its size."""
        for entity in self.gangs.gathering():
            if entity.place is not None:
                self._activate(entity, label)

    def activate(self, uid: str, why: str) -> None:
        """Try this pod again, if it waits for a change."""
        entity = self._entities.get(uid)
        if entity is not None and entity.place == "unschedulable":
            self._activate(entity, why)

    def flush(self) -> None:
        """Try again what nothing has helped for long; to be called now and then."""
        for entity in self._parked.older_than(self._clock() - self._settings.unschedulable_most_s):
            entity.flushed = True
            self._activate(entity, "UnschedulableTimeout")

    def impatient(self) -> list[Entity]:
        """Gangs that lack members for too long, each told once."""
        found = []
        for entity in self.gangs.gathering():
            patience_s = self.gangs.patience_s(entity) or self._settings.gang_patience_s
            if entity.place == "incomplete" and not entity.told and self._clock() - entity.since_s >= patience_s:
                entity.told = True
                found.append(entity)
        return found

    @property
    def ready(self) -> bool:
        """Whether :meth:`pop` would give something now."""
        return bool(self._pods["active"] or self._valid(self._backoff)) or self._ripe(self._failed)

    @property
    def ripens_in_s(self) -> float | None:
        """In how many seconds a back-off is over; ``None`` when nothing backs off."""
        heads = [heap[0][0] for heap in (self._backoff, self._failed) if self._valid(heap)]
        return max(0.0, min(heads) - self._clock()) if heads else None

    def pending(self) -> dict[QueueName, int]:
        """Pods by queue."""
        return {name: self._pods[name] for name in QUEUES}

    def pending_gangs(self) -> dict[QueueName, int]:
        """Gangs by queue."""
        return {name: self._gangs[name] for name in QUEUES}

    def unschedulable(self) -> Counter[tuple[str, str]]:
        """Pods that wait for a change, by filter and profile."""
        return self._parked.by_plugin()

    def backoff_s(self, entity: Entity) -> float:
        """Doubles with each attempt in a row that ended without a node."""
        settings = self._settings
        return min(settings.backoff_most_s, settings.backoff_first_s * 2.0 ** min(entity.refused - 1, 30))

    def _enter(self, pod: Pod, why: str = "UnscheduledPodAdd") -> None:
        gang = None if pod.spec.scheduling_gates else gang_key(pod)
        entity = Entity({pod.metadata.uid: pod}, since_s=self._clock(), gang=gang)
        self._arrange(entity, "active", why)

    def _target_changed(self, entity: Entity, labels: tuple[str, ...]) -> None:
        """A pod that changed itself is tried again if one of its filters looks at that, or nobody knows better."""
        heard = {label for plugin in entity.plugins for label in HELPED_BY.get(plugin, labels)}
        if why := next((label for label in labels if label in heard), None):
            self._activate(entity, why)

    def _activate(self, entity: Entity, why: str) -> None:
        self._move(entity, "backoff" if entity.retry_s > self._clock() else "active", why)

    def _move(self, entity: Entity, queue: QueueName, why: str) -> None:
        self._leave(entity)
        self._arrange(entity, queue, why)

    def _leave(self, entity: Entity) -> None:
        """Take it out of whatever queue it is in."""
        if entity.place is None:
            return
        if entity.place == "unschedulable":
            self._parked.remove(entity)
        self._count(entity, -1)
        self.gangs.part(entity)
        entity.ticket, entity.place = next(self._tickets), None

    def _arrange(self, entity: Entity, queue: QueueName, why: str, *, queued_s: float | None = None) -> None:
        """Put an entity that is in no queue into this one, or where gates and lacking members hold it."""
        if not (incoming := len(entity.members)):
            return  # its pods left while it was decided or bound
        if entity.gang is not None and (other := self.gangs.join(entity)) is not entity:
            self._leave(other)
            self.gangs.join(other)
            other.members |= entity.members
            other.plugins |= entity.plugins
            other.refused = max(other.refused, entity.refused)
            other.retry_s = max(other.retry_s, entity.retry_s)
            entity = other
        self._entities.update(dict.fromkeys(entity.members, entity))
        if entity.gated:
            queue = "gated"
        elif entity.gang is not None and not self.gangs.complete(entity):
            queue = "incomplete"
        entity.place, entity.ticket = queue, next(self._tickets)
        entity.begun = self.gangs.begun(entity)
        entity.queued_s = self._clock() if queued_s is None else queued_s
        self._count(entity, 1)
        for _ in range(incoming if why else 0):
            self._measures.queue_incoming(queue, why)
        self._file(entity, queue)

    def _file(self, entity: Entity, queue: QueueName) -> None:
        match queue:
            case "active":
                order = (not entity.begun, -entity.priority, entity.queued_s, entity.ticket, entity)
                heapq.heappush(self._active, order)
            case "backoff":
                heap = self._failed if entity.failed else self._backoff
                heapq.heappush(heap, (entity.retry_s, entity.ticket, entity))
            case "unschedulable":
                self._parked.add(entity, self._clock())
            case "gated" | "incomplete":
                return
        if queue != "unschedulable":
            self._wake()

    def _count(self, entity: Entity, sign: int) -> None:
        assert entity.place is not None
        self._pods[entity.place] += sign * len(entity.members)
        if entity.gang is not None:
            self._gangs[entity.place] += sign

    def _ripen(self) -> None:
        """Back-offs that are over."""
        for heap in (self._backoff, self._failed):
            while self._ripe(heap):
                _, _, entity = heapq.heappop(heap)
                self._move(entity, "active", "BackoffComplete")

    def _borrow(self, most: int) -> None:
        """Nothing else to do: those that back off after a refusal need not wait (kube-scheduler 1.33, KEP-5142)."""
        while self._valid(self._backoff) and self._pods["active"] < most:
            _, _, entity = heapq.heappop(self._backoff)
            self._move(entity, "active", "PopFromBackoffQ")

    def _ripe(self, heap: list[tuple[float, int, Entity]]) -> bool:
        return self._valid(heap) and heap[0][0] <= self._clock()

    def _valid(self, heap: list[tuple[float, int, Entity]]) -> bool:
        """Whether the heap has a head that still stands for its entity; heads that do not are dropped."""
        while heap and heap[0][1] != heap[0][2].ticket:
            heapq.heappop(heap)
        return bool(heap)
