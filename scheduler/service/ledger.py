"""What is known of each pod: seen with a node, seen waiting, or given a node by us and not yet seen there.

The one place that tells the engine and the queue of pods. Whatever a server says is held against what we assumed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from idcbench.kube.known import EventType
from idcbench.kube.listing import Listing
from idcbench.kube.objects import version_of

from ..decisions import Engine
from ..objects import Pod
from .changes import Change, assigned_pod_changes
from .queue import SchedulingQueue

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assumed:
    """A pod as it was decided, and the node where the engine counts it."""

    pod: Pod
    node: str


class Ledger:
    """Pods by uid. ``served`` are the scheduler names whose pods we place; others count once they have a node.

    ``settled`` is called with a uid when its pod is bound, deleted or over: nothing waits for it any more.
    """

    def __init__(
        self, engine: Engine, queue: SchedulingQueue, served: Collection[str], *,
        settled: Callable[[str], object] = lambda _uid: None,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._queue = queue
        self._served = frozenset(served)
        self._settled = settled
        self._pods: dict[str, Pod] = {}
        self._assumed: dict[str, Assumed] = {}
        self._nominated: dict[str, str] = {}
        self._expected: dict[str, float] = {}
        self._floor = 0
        self.assigned = 0
        """Pods that were seen with a node, and hold room there."""

    @property
    def assumed(self) -> int:
        """Pods that have a node from us and were not seen there yet."""
        return len(self._assumed)

    @property
    def unheard_s(self) -> float:
        """For how long the first of the pods that are bound, as the API server said, was not seen so; 0 for none."""
        return time.monotonic() - next(iter(self._expected.values())) if self._expected else 0.0

    def __getitem__(self, uid: str) -> Pod:
        return self._pods[uid]

    def get(self, uid: str) -> Pod | None:
        """The pod as it was last seen, ``None`` when it is not (or no more) there."""
        return self._pods.get(uid)

    def is_assumed(self, uid: str) -> bool:
        return uid in self._assumed

    def hear(self, told: EventType, pod: Pod) -> None:
        """Take in what a watch or a list says of a pod."""
        uid = pod.metadata.uid
        before = self._pods.get(uid)
        if told != "DELETED" and self._stale(pod, before):
            return
        if told == "DELETED" or pod.over:
            self._forget_pod(uid, before, pod, gone=told == "DELETED")
        elif pod.spec.node_name:
            self._pods[uid] = pod
            self._assigned(uid, before, pod)
        else:
            self._pods[uid] = pod
            self._pending(uid, pod)

    def assume(self, pod: Pod, node: str) -> None:
        """The engine placed the pod; it counts on its node until it is seen there or :meth:`unassume` is called."""
        self._assumed[pod.metadata.uid] = Assumed(pod, node)
        self._queue.gangs.bound(pod)
        self.nominate(pod, None)

    def expect(self, uid: str) -> None:
        """The API server says that it bound the pod: the watch will tell."""
        if uid in self._assumed:
            self._expected[uid] = time.monotonic()

    def unassume(self, uid: str) -> bool:
        """The pod did not get its node after all. False when it was seen bound, or gone, meanwhile."""
        assumed = self._taken_back(uid)
        if assumed is None:
            return False
        self._engine.forget(assumed.pod)
        self._queue.gangs.unbound(assumed.pod)
        self._queue.changed(Change("AssignedPodDelete", assumed.pod))
        return True

    def drop_assumptions(self, *, but: Collection[str]) -> None:
        """What was assumed is in doubt, ``but`` for these pods: the engine forgets it, and they wait again."""
        for uid in self._assumed.keys() - but:
            pod = self._assumed[uid].pod
            self.unassume(uid)
            self._queue.remove(uid)
            if (present := self._pods.get(uid)) is not None and not present.spec.node_name:
                self._pending(uid, present)
            _log.info("pod %s: its node is in doubt and will be decided anew", pod.key)

    def adopt(self, pod: Pod) -> None:
        """Take in a pod that was read on its own; what the watch tells later of an older version is passed over."""
        self.hear("MODIFIED" if pod.metadata.uid in self._pods else "ADDED", pod)

    def reconcile(self, listing: Listing[Pod]) -> None:
        """Take in a list of all pods. The watch may be behind it, with some pods, and ahead of it, with others."""
        floor = version_of(listing)
        there = {pod.metadata.uid for pod in listing.items}
        for uid in self._pods.keys() - there:
            if version_of(self._pods[uid].metadata) <= floor:  # a newer one was made after the list
                self.hear("DELETED", self._pods[uid])
        for pod in listing.items:
            self.adopt(pod)
        self._floor = max(self._floor, floor)

    def nominate(self, pod: Pod, node: str | None) -> None:
        """Hold room for a waiting pod, or give it up."""
        uid = pod.metadata.uid
        if self._nominated.get(uid) == node:
            return
        self._engine.nominate(pod, node)
        if node is None:
            del self._nominated[uid]
        else:
            self._nominated[uid] = node

    def nominated_node(self, uid: str) -> str | None:
        return self._nominated.get(uid)

    def nominated_to(self, node: str) -> list[Pod]:
        """The waiting pods for which room is held there."""
        return [self._pods[uid] for uid, where in self._nominated.items() if where == node and uid in self._pods]

    def _taken_back(self, uid: str) -> Assumed | None:
        """What was assumed of the pod, which is no longer."""
        self._expected.pop(uid, None)
        return self._assumed.pop(uid, None)

    def _stale(self, pod: Pod, before: Pod | None) -> bool:
        """Whether something newer is known."""
        version = version_of(pod.metadata)
        return version < version_of(before.metadata) if before is not None else 0 < version <= self._floor

    def _assigned(self, uid: str, before: Pod | None, pod: Pod) -> None:
        assumed = self._taken_back(uid)
        if assumed is not None and assumed.node != pod.spec.node_name:
            _log.warning("pod %s is on %s, not where we put it (%s)", pod.key, pod.spec.node_name, assumed.node)
            self._engine.forget(assumed.pod)
        self._engine.set("pods", pod)
        if before is not None and before.spec.node_name:
            for change in assigned_pod_changes(pod, before):
                self._queue.changed(change)
            return
        self.assigned += 1
        self._queue.member_bound(pod)  # first: what is left of its gang needs one less
        self._queue.remove(uid)
        self.nominate(pod, None)
        self._settled(uid)
        self._queue.changed(Change("AssignedPodAdd", pod))

    def _pending(self, uid: str, pod: Pod) -> None:
        if pod.spec.scheduler_name not in self._served or uid in self._assumed:
            return
        if pod.metadata.deletion_timestamp:
            self._queue.remove(uid)
            self.nominate(pod, None)
            return
        if pod.status.nominated_node_name and uid not in self._queue:  # by whoever led before us
            self.nominate(pod, pod.status.nominated_node_name)
        self._queue.add(pod)

    def _forget_pod(self, uid: str, before: Pod | None, pod: Pod, *, gone: bool) -> None:
        """A pod that is gone, or over and so holds no room."""
        if gone:
            self._pods.pop(uid, None)
        else:
            self._pods[uid] = pod
        assumed = self._taken_back(uid)
        if assumed is not None:
            self._engine.forget(assumed.pod)
        held = before is not None and bool(before.spec.node_name) and not before.over
        if held and before is not None:
            self._engine.remove("pods", before)
            self.assigned -= 1
        self._queue.remove(uid)
        self._queue.gangs.unbound(pod)
        self.nominate(pod, None)
        self._settled(uid)
        if held or assumed is not None:
            self._queue.changed(Change("AssignedPodDelete", pod))
