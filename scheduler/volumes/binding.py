"""The filter and score of VolumeBinding: claims bound, to be bound to a volume that is there, or to be provisioned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ..objects import Node, PersistentVolume, PersistentVolumeClaim, Pod
from .locator import Reach, reach_of
from .matching import Candidates, claim_size
from .provisioning import Lack, Provision, Provisioner
from .reservations import Reservations
from .stock import Stock, bytes_or_none
from .usage import claim_class, is_bound, is_made_for, uses
from .verdict import BINDING, Refused, hopeless

NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"
NO_SPACE = "node(s) did not have enough free storage"
VOLUME_GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"

_ORDER = (NODE_CONFLICT, BIND_CONFLICT, NO_SPACE, VOLUME_GONE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done for the pod's claims if it goes to the node."""

    static: list[tuple[PersistentVolumeClaim, PersistentVolume]] = field(default_factory=list)
    provisions: list[Provision] = field(default_factory=list)


class Binding:
    """One pod's claims, sorted out so that a node is judged in microseconds."""

    def __init__(
        self,
        bound: Sequence[PersistentVolumeClaim],
        waiting: Sequence[PersistentVolumeClaim],
        stock: Stock,
        reservations: Reservations,
    ) -> None:
        self._bound: list[Reach | None] = [
            reach_of(volume) if (volume := stock.volumes.get(claim.spec.volume_name)) else None for claim in bound
        ]
        ordered = sorted(waiting, key=claim_size)
        self.waits = bool(ordered)
        self._selected = [(claim, node) for claim in ordered if (node := reservations.selected_node(claim)) is not None]
        taken = {id(claim) for claim, _ in self._selected}
        self._open = [
            Candidates(claim, stock.of_class(claim_class(claim)), reservations)
            for claim in ordered
            if id(claim) not in taken
        ]
        self._provisioners = {id(claim): Provisioner(claim, stock) for claim in ordered}

    def at(self, node: Node) -> Plan | Refused:
        """What to do on the node, or why it cannot take the pod."""
        labels = node.metadata.labels or {}
        reasons = self._bound_reasons(labels)
        answer = self._plan(node.metadata.name, labels) if self.waits else _NOTHING
        if isinstance(answer, Plan):
            return _refused(*reasons) if reasons else answer
        return _refused(*sorted((*reasons, answer), key=_ORDER.index))

    def _bound_reasons(self, labels: dict[str, str]) -> list[str]:
        for reach in self._bound:
            if reach is None:
                return [VOLUME_GONE]
            if not reach.holds(labels):
                return [NODE_CONFLICT]
        return []

    def _plan(self, node: str, labels: dict[str, str]) -> Plan | str:
        if any(selected != node for _, selected in self._selected):
            return BIND_CONFLICT
        plan, chosen = Plan(), set[str]()
        missing = [claim for claim, _ in self._selected]
        for candidates in self._open:
            volume = candidates.at(labels, chosen)
            if volume is None:
                missing.append(candidates.claim)
            else:
                chosen.add(volume.metadata.name)
                plan.static.append((candidates.claim, volume))
        for claim in missing:
            match self._provisioners[id(claim)].at(labels):
                case Lack.WAY:
                    return BIND_CONFLICT
                case Lack.SPACE:
                    return NO_SPACE
                case Provision() as provision:
                    plan.provisions.append(provision)
        return plan


def sort_out(pod: Pod, stock: Stock, reservations: Reservations) -> Binding | Refused:
    """Look at the pod's claims, or say why no node can serve them now.

    Raises ``ValueError`` naming the claim when its size or selector means nothing.
    """
    bound: list[PersistentVolumeClaim] = []
    waiting: dict[int, PersistentVolumeClaim] = {}
    immediate = False
    for use in uses(pod):
        claim = stock.claims.get(use.key)
        if claim is None:
            return hopeless(BINDING, _missing(use.key[1], ephemeral=use.ephemeral))
        if reason := _unusable(claim, pod if use.ephemeral else None):
            return hopeless(BINDING, reason)
        if is_bound(claim):
            bound.append(claim)
        elif isinstance(waits := _waits(claim, stock), Refused):
            return waits
        elif waits:
            waiting[id(claim)] = claim
        else:
            immediate = True
    if immediate:
        return hopeless(BINDING, UNBOUND)
    return Binding(bound, list(waiting.values()), stock, reservations)


def score(plan: Plan) -> int:
    """How well the volumes fit, 0–100: the fuller the storage would be, the fewer points (the default shape).

    With volumes that are there, requested of their capacity; with none, requested of what the drivers have left.
    """
    used: dict[str, tuple[int, int]] = {}
    for claim, volume in plan.static:
        requested, capacity = used.get(volume.spec.storage_class_name, (0, 0))
        size = bytes_or_none((volume.spec.capacity or {}).get("storage")) or 0
        used[volume.spec.storage_class_name] = (requested + claim_size(claim), capacity + size)
    if not plan.static:
        for claim, size, reported in plan.provisions:
            if reported is not None:
                requested, _ = used.get(claim.spec.storage_class_name or "", (0, 0))
                left = bytes_or_none(reported.capacity) or 0
                used[claim.spec.storage_class_name or ""] = (requested + size, left)
    if not used:
        return 0
    points = [0 if not left or asked > left else 100 - asked * 100 // left for asked, left in used.values()]
    return (2 * sum(points) + len(points)) // (2 * len(points))


_NOTHING = Plan()


@lru_cache(maxsize=16)
def _refused(*reasons: str) -> Refused:
    return Refused(BINDING, reasons, True)


def _missing(claim: str, *, ephemeral: bool) -> str:
    if ephemeral:
        return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{claim}"'
    return f'persistentvolumeclaim "{claim}" not found'


def _unusable(claim: PersistentVolumeClaim, owner: Pod | None) -> str:
    """What is wrong with a claim that is there, if anything; ``owner`` must own the claim of an ephemeral volume."""
    name = claim.metadata.name
    if claim.status.phase == "Lost":
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim.spec.volume_name}"'
    if claim.metadata.deletion_timestamp is not None:
        return f'persistentvolumeclaim "{name}" is being deleted'
    if owner is not None and not is_made_for(claim, owner):
        return f"PVC {claim.metadata.namespace}/{name} was not created for pod {owner.key} (pod is not owner)"
    return ""


def _waits(claim: PersistentVolumeClaim, stock: Stock) -> bool | Refused:
    """Whether the claim waits for its first consumer. One that names its volume should be bound already."""
    name = claim_class(claim)
    storage_class = stock.classes.get(name) if name else None
    if storage_class is None:
        return False
    if storage_class.volume_binding_mode is None:
        return hopeless(BINDING, f'VolumeBindingMode not set for StorageClass "{name}"')
    return storage_class.volume_binding_mode == "WaitForFirstConsumer" and not claim.spec.volume_name
