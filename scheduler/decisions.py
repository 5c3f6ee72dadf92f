"""The seam between deciding and acting: what an engine is told, and what it answers.

The service (watch, queue, bindings) knows an engine only by this; an engine does no I/O and is called from one thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from msgspec import Struct

from .objects import Pod

Resource = Literal[
    "nodes",
    "pods",
    "namespaces",
    "services",
    "replicationcontrollers",
    "replicasets",
    "statefulsets",
    "poddisruptionbudgets",
    "persistentvolumes",
    "persistentvolumeclaims",
    "storageclasses",
    "csinodes",
    "csidrivers",
    "csistoragecapacities",
    "volumeattachments",
    "podgroups",
    "deviceclasses",
]
"""What an engine has to hear of, by the plural that the API uses."""


@dataclass(frozen=True, slots=True)
class ClaimStep:
    """What has to be written, and awaited, before a pod with a claim may be bound.

    Either ``volume`` is named (write ``claimRef`` of that volume) or the claim's selected-node annotation is set to
    the chosen node and its provisioner does the rest. Both end when the claim is Bound.
    """

    namespace: str
    claim: str
    volume: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A pod has a node, and counts there from now on (``Engine.forget`` takes that back).

    ``evaluated`` nodes were looked at; what each scored is told by ``Engine.explain``.
    """

    pod: Pod
    node: str
    evaluated: int
    before: tuple[ClaimStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Unplaced:
    """No node can take the pod now.

    ``reasons`` counts nodes by the words kube-scheduler uses (``Insufficient cpu``); ``plugins`` are those that
    refused, which tells what event can help. ``declined`` is set when the pod asks for what this scheduler does not
    do: no event helps then but a change of the pod.
    """

    pod: Pod
    nodes: int
    reasons: tuple[tuple[str, int], ...] = ()
    plugins: frozenset[str] = frozenset()
    resolvable: bool = True
    """Whether taking pods away from some node could help: preemption is worth a try."""
    barred: str | None = None
    """What bars the pod from every node at once: a claim that is not there, say."""
    declined: str | None = None

    @property
    def message(self) -> str:
        """As kube-scheduler words it: ``0/5 nodes are available: 2 Insufficient cpu, 3 Too many pods.``"""
        if self.declined or self.barred:
            return f"0/{self.nodes} nodes are available: {self.declined or self.barred}."
        if not self.reasons:
            return "no nodes available to schedule pods" if not self.nodes else f"0/{self.nodes} nodes are available."
        return f"0/{self.nodes} nodes are available: {counted(self.reasons)}."


def counted(reasons: Iterable[tuple[str, int]]) -> str:
    """``2 Insufficient cpu, 3 Too many pods``: sorted as text, without what holds nowhere."""
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons if count))


Decision = Placed | Unplaced


@dataclass(frozen=True, slots=True)
class Preemption:
    """Victims to delete so that the pod fits on ``node``; ``violations`` of disruption budgets are unavoidable."""

    pod: Pod
    node: str
    victims: tuple[Pod, ...]
    violations: int


@dataclass(frozen=True, slots=True)
class NoPreemption:
    """Why taking pods away would not help, for the event: ``message`` follows ``preemption:`` there."""

    message: str


@dataclass(frozen=True, slots=True)
class PluginScore:
    """One score plugin's numbers for one node: as computed, after normalising (0–100), and times its weight."""

    plugin: str
    raw: float
    normalized: int
    weighted: int


@dataclass(frozen=True, slots=True)
class NodeScore:
    node: str
    total: int
    scores: tuple[PluginScore, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What one filter took away: how many nodes, in the words of its reason, and how close the closest one was."""

    plugin: str
    reason: str
    nodes: int
    nearest: str = ""
    """For example ``node-17 lacks 500m cpu``; empty where nearness has no meaning."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a pod went where it went, or why it waits."""

    pod: str
    nodes: int
    refusals: tuple[Refusal, ...]
    best: tuple[NodeScore, ...]
    """The best nodes, best first, at most ten."""
    chosen: str | None = None
    barred: str | None = None
    declined: str | None = None


class Engine(Protocol):
    """Knows the cluster, decides, and keeps account of what it decided."""

    def set(self, resource: Resource, obj: Struct) -> None:
        """An object is there, or has changed. A pod is passed when it has a node (pending ones are not kept)."""

    def remove(self, resource: Resource, obj: Struct) -> None:
        """An object is gone. Unknown ones are no error."""

    def decide(self, pods: Sequence[Pod]) -> list[Decision]:
        """Decide one pod after another; each sees what was decided before it. A placed pod counts from now on."""

    def decide_gang(self, pods: Sequence[Pod], *, least: int) -> list[Decision]:
        """Place at least ``least`` of the pods, or none: then every answer is an ``Unplaced``."""

    def forget(self, pod: Pod) -> None:
        """The pod did not get its node after all."""

    def preempt(self, pod: Pod) -> Preemption | NoPreemption:
        """Choose a node and victims as kube-scheduler would. Changes nothing."""

    def nominate(self, pod: Pod, node: str | None) -> None:
        """Hold room for the pod on a node against pods of lower priority; ``None`` gives it up."""

    def explain(self, pod: Pod) -> Explanation:
        """Evaluate the pod on the present state without placing it."""
