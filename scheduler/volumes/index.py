"""The volume filters of the default profile over the storage objects and the placed pods with volumes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from ..decisions import ClaimStep, Resource
from ..objects import (
    CSINode,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    StorageClass,
    VolumeAttachment,
)
from . import usage
from .binding import Binding, Plan, score, sort_out
from .limits import Attaching, Limits, volumes_of
from .population import Population, pod_id
from .reservations import Reservations
from .restrictions import Restrictions, restrictions_of
from .stock import Stock
from .verdict import BINDING, Refused, VolumeVerdict, hopeless
from .zones import Zones, zones_of

_STORAGE: frozenset[Resource] = frozenset(
    (
        "persistentvolumes",
        "persistentvolumeclaims",
        "storageclasses",
        "csinodes",
        "csidrivers",
        "csistoragecapacities",
        "volumeattachments",
    )
)

NOBODY: Mapping[str, Sequence[Pod]] = MappingProxyType({})


class VolumeIndex:
    """Judges pods with volumes, one at a time; each sees what was reserved for those before it. One thread only."""

    def __init__(self) -> None:
        self._stock = Stock()
        self._population = Population()
        self._reservations = Reservations()
        self._attaching = Attaching(self._stock, self._population)
        self._last: tuple[Pod, Binding | Refused] | None = None

    @staticmethod
    def concerns(pod: Pod) -> bool:
        """Whether the pod has volumes that matter here; for all others nothing else needs to be called."""
        return usage.concerns(pod)

    def set(self, resource: Resource, obj: Struct) -> None:
        """A storage object is there, or has changed. Other resources are left alone."""
        if resource not in _STORAGE:
            return
        self._recount(obj)
        self._stock.set(obj)
        self._recount(obj)
        if isinstance(obj, PersistentVolumeClaim) and usage.is_bound(obj):
            self._reservations.settle(usage.key_of(obj))

    def remove(self, resource: Resource, obj: Struct) -> None:
        """A storage object is gone. Unknown ones are no error."""
        if resource not in _STORAGE:
            return
        self._recount(obj)
        self._stock.remove(obj)
        if isinstance(obj, PersistentVolumeClaim):
            self._reservations.settle(usage.key_of(obj))

    def add_pod(self, pod: Pod, node: str) -> None:
        """A pod is on a node, bound or assumed. Adding it again moves it."""
        if usage.concerns(pod):
            self._forget_pod(pod)
            self._population.add(pod, node)
            self._attaching.forget((node,))

    def remove_pod(self, pod: Pod, node: str | None = None) -> None:
        """A pod is gone, with what was reserved for it. Unknown ones are no error.

        With ``node``, only when the pod is there and not on another one by now.
        """
        if node is not None and self._population.node_of(pod) not in (node, None):
            return
        self._forget_pod(pod)
        self.unreserve(pod)

    def evaluate(
        self,
        pod: Pod,
        nodes: Sequence[Node],
        *,
        without: Collection[Pod] = (),
        beside: Mapping[str, Sequence[Pod]] = NOBODY,
    ) -> VolumeVerdict:
        """Judge the pod on each node.

        ``without`` are placed pods to be thought away, as preemption does, ``beside`` pods that hold room on a node,
        by its name. What the pod's claims say and cannot be read is a refusal that names the claim, never an error.
        """
        judged = self._look_at(pod, frozenset(map(pod_id, without)))
        if isinstance(judged, Refused):
            return VolumeVerdict(judged)
        restrictions, limits, binding, zones = judged
        before = [each.at for each in (restrictions, limits) if each]
        verdicts: list[Refused | None] = []
        scores: list[int] = []
        for node in nodes:
            more = beside.get(node.metadata.name)
            refused = next((no for at in before if (no := at(node, more)) is not None), None) if more else None
            refused = refused or next((no for at in before if (no := at(node)) is not None), None)
            plan = refused or binding.at(node)
            if isinstance(plan, Plan):
                scores.append(score(plan) if binding.waits else 0)
                verdicts.append(zones.at(node) if zones else None)
            else:
                scores.append(0)
                verdicts.append(plan)
        return VolumeVerdict(None, verdicts, scores if any(scores) else None)

    def shares(self, pod: Pod, other: Pod) -> bool:
        """Whether some volume that a driver attaches is of both: with the other gone it takes room anew."""
        mine, theirs = (volumes_of(each, self._stock, migrated=True) for each in (pod, other))
        return not mine.keys().isdisjoint(theirs)

    def reserve(self, pod: Pod, node: Node) -> tuple[ClaimStep, ...]:
        """Promise the pod its volumes on a node that ``evaluate`` accepted, and say what has to be written for it.

        Nothing when all its claims are bound. The promise is kept until its claims are bound, ``unreserve`` or
        ``remove_pod``. Raises ``ValueError`` when the node cannot serve the pod's claims after all.
        """
        binding = self._sort_out(pod)
        plan = binding.at(node) if isinstance(binding, Binding) else binding
        if isinstance(plan, Refused):
            raise ValueError(f"pod {pod.key} has no volumes on node {node.metadata.name}: {', '.join(plan.reasons)}")
        steps = [ClaimStep(*usage.key_of(claim), volume.metadata.name) for claim, volume in plan.static]
        steps += [ClaimStep(*usage.key_of(provision.claim)) for provision in plan.provisions]
        self._last = None
        self._reservations.hold(pod, node.metadata.name, steps)
        return tuple(steps)

    def unreserve(self, pod: Pod) -> None:
        """The pod does not get its volumes after all. Unknown ones are no error."""
        self._last = None
        self._reservations.release(pod)

    def _look_at(self, pod: Pod, without: frozenset[str]) -> tuple[Restrictions, Limits, Binding, Zones] | Refused:
        """What each filter makes of the pod, in the order in which kube-scheduler asks them."""
        restrictions = restrictions_of(pod, self._stock, self._population, without=without)
        if isinstance(restrictions, Refused):
            return restrictions
        try:
            binding = self._sort_out(pod)
        except ValueError as error:
            return hopeless(BINDING, str(error))
        if isinstance(binding, Refused):
            return binding
        zones = zones_of(pod, self._stock)
        if isinstance(zones, Refused):
            return zones
        return restrictions, Limits(pod, self._stock, self._attaching, without=without), binding, zones

    def _sort_out(self, pod: Pod) -> Binding | Refused:
        """As before for the pod that was judged last, when nothing has changed since."""
        if self._last is None or self._last[0] is not pod:
            self._last = pod, sort_out(pod, self._stock, self._reservations)
        return self._last[1]

    def _forget_pod(self, pod: Pod) -> None:
        node = self._population.remove(pod)
        if node is not None:
            self._attaching.forget((node,))

    def _recount(self, obj: Struct) -> None:
        """Drop the counts of attached volumes that hang on the object."""
        self._last = None
        match obj:
            case StorageClass():
                self._attaching.forget()
            case CSINode():
                self._attaching.forget((obj.metadata.name,))
            case VolumeAttachment():
                known = self._stock.attachments.get(obj.metadata.name, obj)
                self._attaching.forget((known.spec.node_name,))
            case PersistentVolumeClaim():
                self._attaching.forget(self._population.nodes_using(usage.key_of(obj)))
            case PersistentVolume():
                self._attaching.forget(self._stock.nodes_attaching(obj.metadata.name))
                known_volume = self._stock.volumes.get(obj.metadata.name, obj)
                if (ref := known_volume.spec.claim_ref) is not None:
                    self._attaching.forget(self._population.nodes_using((ref.namespace, ref.name)))
