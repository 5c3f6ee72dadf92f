"""A small honest engine: counts CPU and pods, knows node selectors and host names, and takes the emptiest node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from idcbench.scheduler.decisions import (
    Decision,
    Explanation,
    NoPreemption,
    Placed,
    Preemption,
    Resource,
    Unplaced,
)
from idcbench.scheduler.objects import Node, Pod
from idcbench.scheduler.quantity import milli_value, value


def cpu_of(pod: Pod) -> int:
    requests = [container.resources.requests or {} for container in pod.spec.containers or ()]
    return sum(milli_value(str(each.get("cpu", "0"))) for each in requests)


@dataclass
class Room:
    node: Node
    pods: dict[str, Pod] = field(default_factory=dict)

    @property
    def cpu(self) -> int:
        return milli_value(str((self.node.status.allocatable or {}).get("cpu", "0")))

    @property
    def most(self) -> int:
        return value(str((self.node.status.allocatable or {}).get("pods", "110")))

    @property
    def used(self) -> int:
        return sum(cpu_of(pod) for pod in self.pods.values())


class LittleEngine:
    """Deterministic but for ties; fast enough for some hundred nodes."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.where: dict[str, tuple[str, Pod]] = {}
        self.nominated: dict[str, tuple[str, Pod]] = {}
        self.heard: list[tuple[str, Resource]] = []
        self.used: dict[str, int] = {}

    def set(self, resource: Resource, obj: Any) -> None:
        self.heard.append(("set", resource))
        if resource == "nodes":
            room = self.rooms.setdefault(obj.metadata.name, Room(obj))
            room.node = obj
        elif resource == "pods":
            self._put(obj, obj.spec.node_name)

    def remove(self, resource: Resource, obj: Any) -> None:
        if resource == "nodes":
            self.rooms.pop(obj.metadata.name, None)
        elif resource == "pods":
            self._take(obj.metadata.uid)

    def decide(self, pods: Sequence[Pod]) -> list[Decision]:
        return [self._decide(pod) for pod in pods]

    def decide_gang(self, pods: Sequence[Pod], *, least: int) -> list[Decision]:
        decisions = self.decide(pods)
        placed = [each for each in decisions if isinstance(each, Placed)]
        if len(placed) >= least:
            return decisions
        for each in placed:
            self._take(each.pod.metadata.uid)
        return [Unplaced(pod, len(self.rooms), (("Insufficient cpu", 1),), frozenset(("NodeResourcesFit",)))
                for pod in pods]  # fmt: skip

    def forget(self, pod: Pod) -> None:
        self._take(pod.metadata.uid)

    def preempt(self, pod: Pod) -> Preemption | NoPreemption:
        for name, room in self.rooms.items():
            lower = sorted((each for each in room.pods.values() if each.priority < pod.priority), key=cpu_of)
            free = room.cpu - self.used.get(name, 0)
            victims: list[Pod] = []
            while lower and free < cpu_of(pod):
                victims.append(lower.pop())
                free += cpu_of(victims[-1])
            if victims and free >= cpu_of(pod):
                return Preemption(pod, name, tuple(victims), violations=0)
        return NoPreemption(f"0/{len(self.rooms)} nodes are available: no victims.")

    def nominate(self, pod: Pod, node: str | None) -> None:
        if node is None:
            self.nominated.pop(pod.metadata.uid, None)
        else:
            self.nominated[pod.metadata.uid] = (node, pod)

    def explain(self, pod: Pod) -> Explanation:
        return Explanation(pod.key, len(self.rooms), (), ())

    def _decide(self, pod: Pod) -> Decision:
        fitting, reasons = [], {"Insufficient cpu": 0, "node(s) didn't match Pod's node affinity/selector": 0}
        for name, room in self.rooms.items():
            labels = room.node.metadata.labels or {}
            if any(labels.get(key) != wanted for key, wanted in (pod.spec.node_selector or {}).items()):
                reasons["node(s) didn't match Pod's node affinity/selector"] += 1
            elif self._held(name, pod) + cpu_of(pod) > room.cpu or len(room.pods) >= room.most:
                reasons["Insufficient cpu"] += 1
            else:
                fitting.append((self.used.get(name, 0), name))
        if not fitting:
            names = {"Insufficient cpu": "NodeResourcesFit"}
            told = tuple((reason, count) for reason, count in reasons.items() if count)
            plugins = frozenset(names.get(reason, "NodeAffinity") for reason, _ in told)
            return Unplaced(pod, len(self.rooms), told, plugins or frozenset(("NodeName",)))
        node = min(fitting)[1]
        self._put(pod, node)
        return Placed(pod, node, len(self.rooms))

    def _held(self, node: str, pod: Pod) -> int:
        """Used, and promised to others that are at least as important."""
        promised = (
            cpu_of(each) for uid, (where, each) in self.nominated.items()
            if where == node and uid != pod.metadata.uid and each.priority >= pod.priority
        )  # fmt: skip
        return self.used.get(node, 0) + sum(promised)

    def _put(self, pod: Pod, node: str) -> None:
        self._take(pod.metadata.uid)
        self.where[pod.metadata.uid] = (node, pod)
        self.used[node] = self.used.get(node, 0) + cpu_of(pod)
        if node in self.rooms:
            self.rooms[node].pods[pod.metadata.uid] = pod

    def _take(self, uid: str) -> None:
        node, pod = self.where.pop(uid, ("", None))
        if pod is None:
            return
        self.used[node] -= cpu_of(pod)
        if node in self.rooms:
            self.rooms[node].pods.pop(uid, None)
