"""Claims that wait for their first consumer: a volume to take, or one to make (volumebinding/binder.go)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from idcbench.scheduler.objects import (
    CSIStorageCapacity,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)

from .cluster import Cluster, labels_of
from .profile import Profile
from .requests import amount, whole
from .resources import on_curve, rounded
from .scene import Scene, Score, Scores
from .selectors import node_selected, selects

SELECTED, COMPLETED = "volume.kubernetes.io/selected-node", "pv.kubernetes.io/bind-completed"
CLASS = "volume.beta.kubernetes.io/storage-class"
NO_BIND = "node(s) didn't find available persistent volumes to bind"
NO_SPACE = "node(s) did not have enough free storage"


def class_of(thing: PersistentVolumeClaim | PersistentVolume) -> str:
    annotations = thing.metadata.annotations or {}
    return annotations.get(CLASS, thing.spec.storage_class_name or "")


def bound(claim: PersistentVolumeClaim) -> bool:
    return bool(claim.spec.volume_name) and COMPLETED in (claim.metadata.annotations or {})


def waits(cluster: Cluster, claim: PersistentVolumeClaim) -> bool:
    """Unbound on purpose, until a pod has a node."""
    storage_class = cluster.storage_class(class_of(claim))
    late = storage_class is not None and storage_class.volume_binding_mode == "WaitForFirstConsumer"
    return late and not claim.spec.volume_name


@dataclass(frozen=True, slots=True)
class Provision:
    """What a node would do for the waiting claims: take volumes, make volumes (with the capacity that allows it)."""

    reasons: frozenset[str] = frozenset()
    taken: tuple[tuple[PersistentVolumeClaim, PersistentVolume], ...] = ()
    made: tuple[tuple[PersistentVolumeClaim, CSIStorageCapacity | None], ...] = ()


def provide(cluster: Cluster, claims: list[PersistentVolumeClaim], node: Node) -> Provision:
    to_make, to_match = [], []
    for claim in claims:
        selected = (claim.metadata.annotations or {}).get(SELECTED)
        if selected is not None and selected != node.metadata.name:
            return Provision(frozenset({NO_BIND}))
        (to_match if selected is None else to_make).append(claim)
    taken: list[tuple[PersistentVolumeClaim, PersistentVolume]] = []
    for claim in sorted(to_match, key=requested):
        volume = _match(cluster, claim, node, [each.metadata.name for _, each in taken])
        if volume is None:
            to_make.append(claim)
        else:
            taken.append((claim, volume))
    made: list[tuple[PersistentVolumeClaim, CSIStorageCapacity | None]] = []
    for claim in to_make:
        storage_class = cluster.storage_class(class_of(claim))
        if storage_class is None or not _can_make(storage_class, node):
            return Provision(frozenset({NO_BIND}), tuple(taken))
        enough, capacity = _capacity(cluster, claim, storage_class, node)
        if not enough:
            return Provision(frozenset({NO_SPACE}), tuple(taken))
        made.append((claim, capacity))
    return Provision(frozenset(), tuple(taken), tuple(made))


def requested(claim: PersistentVolumeClaim) -> Fraction:
    return amount((claim.spec.resources.requests or {}).get("storage", 0))


def size(volume: PersistentVolume) -> Fraction:
    return amount((volume.spec.capacity or {}).get("storage", 0))


def _match(cluster: Cluster, claim: PersistentVolumeClaim, node: Node, excluded: list[str]) -> PersistentVolume | None:
    """A volume that is reserved for the claim, else the smallest that suits (component-helpers/storage/volume)."""
    best: PersistentVolume | None = None
    for volume in cluster.persistentvolumes:
        if volume.metadata.name in excluded or class_of(volume) != class_of(claim):
            continue
        reserved = _reserved_for(volume, claim)
        if volume.spec.claim_ref is not None and not reserved:
            continue
        modes = (volume.spec.volume_mode or "Filesystem", claim.spec.volume_mode or "Filesystem")
        attributes = (volume.spec.volume_attributes_class_name or "", claim.spec.volume_attributes_class_name or "")
        if size(volume) < requested(claim) or modes[0] != modes[1] or attributes[0] != attributes[1]:
            continue
        if volume.metadata.deletion_timestamp is not None:
            continue
        affinity = volume.spec.node_affinity and volume.spec.node_affinity.required
        near = node_selected(affinity, node, nameless=True) if affinity else True
        if reserved:
            return volume if near else None
        if volume.status.phase != "Available" or not near:
            continue
        if claim.spec.selector is not None and not selects(claim.spec.selector, labels_of(volume)):
            continue
        if not set(claim.spec.access_modes or ()) <= set(volume.spec.access_modes or ()):
            continue
        if best is None or size(volume) < size(best):
            best = volume
    return best


def _reserved_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    reference = volume.spec.claim_ref
    if reference is None or (reference.namespace, reference.name) != (claim.metadata.namespace, claim.metadata.name):
        return False
    return not reference.uid or reference.uid == claim.metadata.uid


def _can_make(storage_class: StorageClass, node: Node) -> bool:
    if storage_class.provisioner in ("", "kubernetes.io/no-provisioner"):
        return False
    terms = storage_class.allowed_topologies
    if not terms:
        return True
    # a term without expressions matches nothing (pkg/apis/core/v1/helper)
    return any(
        term.match_label_expressions
        and all(labels_of(node).get(each.key) in (each.values or ()) for each in term.match_label_expressions)
        for term in terms
    )


def _capacity(
    cluster: Cluster, claim: PersistentVolumeClaim, storage_class: StorageClass, node: Node
) -> tuple[bool, CSIStorageCapacity | None]:
    """Whether the driver says that there is room, and where; drivers that do not tell always have."""
    if "storage" not in (claim.spec.resources.requests or {}):
        return True, None
    if not any(d.metadata.name == storage_class.provisioner and d.spec.storage_capacity for d in cluster.csidrivers):
        return True, None
    for each in cluster.csistoragecapacities:
        limit = each.maximum_volume_size if each.maximum_volume_size is not None else each.capacity
        if each.storage_class_name != storage_class.metadata.name or limit is None or each.node_topology is None:
            continue
        if whole(amount(limit)) >= whole(requested(claim)) and selects(each.node_topology, labels_of(node)):
            return True, each
    return False, None


def _storage_scores(scene: Scene, nodes: list[Node]) -> Scores:
    """How little of the storage is used; 0 when every claim is bound (volumebinding/scorer.go)."""
    names = [v.persistent_volume_claim.claim_name for v in scene.pod.spec.volumes or () if v.persistent_volume_claim]
    names += [f"{scene.pod.metadata.name}-{v.name}" for v in scene.pod.spec.volumes or () if v.ephemeral]
    claims = [scene.cluster.claim(scene.pod.metadata.namespace, name) for name in names]
    waiting = [claim for claim in claims if claim and not bound(claim)]
    return {n.metadata.name: _storage_score(scene.profile, provide(scene.cluster, waiting, n)) for n in nodes}


def _storage_score(profile: Profile, provision: Provision) -> int:
    loads: dict[str, tuple[int, int]] = {}
    if provision.taken:
        for claim, volume in provision.taken:
            used, room = loads.get(class_of(volume), (0, 0))
            loads[class_of(volume)] = (used + whole(requested(claim)), room + whole(size(volume)))
    else:
        for claim, capacity in provision.made:
            if capacity is not None:
                used, _ = loads.get(class_of(claim), (0, 0))
                loads[class_of(claim)] = (used + whole(requested(claim)), whole(amount(capacity.capacity or 0)))
    if not loads:
        return 0
    scores = [
        on_curve(profile.storage_shape, 100 if room == 0 or used > room else used * 100 // room)
        for used, room in loads.values()
    ]
    return rounded(sum(scores) / len(loads))


STORAGE_SCORE = Score("VolumeBinding", _storage_scores)
