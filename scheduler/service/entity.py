"""What is queued and decided at once: a pod, or a gang of pods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..objects import Pod
from .measures import QueueName

GANG_LABELS = ("pod-group.scheduling.sigs.k8s.io", "scheduling.x-k8s.io/pod-group")
"""Of scheduler-plugins, the present one and the one before it."""
OWN_GANG_LABEL = "idcbench.io/gang"
OWN_SIZE_LABEL = "idcbench.io/gang-size"


class GangKey(NamedTuple):
    """``source`` tells where the size is found: ``in-tree`` or ``plugin`` PodGroups, or the ``label``."""

    source: str
    namespace: str
    name: str


def gang_key(pod: Pod) -> GangKey | None:
    """The gang that a pod is of."""
    group = pod.spec.scheduling_group
    namespace = pod.metadata.namespace
    if group is not None and group.pod_group_name:
        return GangKey("in-tree", namespace, group.pod_group_name)
    labels = pod.metadata.labels
    if labels is None:
        return None
    for label in GANG_LABELS:
        if label in labels:
            return GangKey("plugin", namespace, labels[label])
    return GangKey("label", namespace, labels[OWN_GANG_LABEL]) if OWN_GANG_LABEL in labels else None


@dataclass(slots=True, eq=False)
class Entity:
    """``members`` by uid; a pod on its own is an entity of one. Times are of the queue's clock (seconds, monotonic).

    ``place`` is the queue that it is in, ``None`` while it is decided. ``ticket`` changes with every move, so that
    what older places still hold of it is known to be stale.
    """

    members: dict[str, Pod]
    since_s: float
    gang: GangKey | None = None
    place: QueueName | None = None
    queued_s: float = 0.0
    ticket: int = 0
    attempts: int = 0
    refused: int = 0
    """Attempts in a row that ended without a node; back-off doubles with each."""
    failed: bool = False
    """The last attempt ended by an error, not by a refusal: no event helps, and the back-off is waited out."""
    retry_s: float = 0.0
    """When its back-off is over."""
    plugins: frozenset[str] = frozenset()
    flushed: bool = False
    begun: bool = False
    """Its gang is partly bound, and not enough, since before it came into this queue."""
    told: bool = False

    @property
    def pods(self) -> tuple[Pod, ...]:
        return tuple(self.members.values())

    @property
    def priority(self) -> int:
        """A gang is as urgent as its most urgent pod."""
        return max((pod.priority for pod in self.members.values()), default=0)

    @property
    def gated(self) -> bool:
        return any(pod.spec.scheduling_gates for pod in self.members.values())

    @property
    def profile(self) -> str:
        return next((pod.spec.scheduler_name for pod in self.members.values()), "")
