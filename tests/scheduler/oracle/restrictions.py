"""VolumeRestrictions: disks and claims that only one may use (volumerestrictions/volume_restrictions.go)."""

from __future__ import annotations

from idcbench.scheduler.objects import Node
from idcbench.scheduler.objects.pod import DiskSource, Volume

from .claims import claim_name, named_claims
from .scene import Filter, Refusal, Scene


def _disks(volume: Volume) -> list[tuple[str, DiskSource]]:
    kinds = ("gce_persistent_disk", "aws_elastic_block_store", "iscsi", "rbd")
    return [(kind, disk) for kind in kinds if (disk := getattr(volume, kind))]


def _same_disk(kind: str, first: DiskSource, second: DiskSource) -> bool:
    """The same disk, and not one that both only read."""
    both_read = first.read_only and second.read_only
    match kind:
        case "gce_persistent_disk":
            return first.pd_name == second.pd_name and not both_read
        case "aws_elastic_block_store":
            return first.volume_id == second.volume_id
        case "iscsi":
            return first.iqn == second.iqn and not both_read
    shared = set(first.monitors or ()) & set(second.monitors or ())
    return bool(shared) and (first.pool, first.image) == (second.pool, second.image) and not both_read


def _exclusive_claims(scene: Scene) -> set[str]:
    """Claims of the pod that only one pod may use."""
    found = [(name, scene.cluster.claim(scene.pod.metadata.namespace, name)) for name in named_claims(scene.pod)]
    return {name for name, claim in found if claim and "ReadWriteOncePod" in (claim.spec.access_modes or ())}


def _uses(scene: Scene) -> int:
    """How many of the exclusive claims are in use; corrections count every volume of that name, in any namespace."""
    exclusive = _exclusive_claims(scene)
    namespace = scene.pod.metadata.namespace
    in_use = {
        claim_name(pod, volume)
        for pod, _ in scene.cluster.placed()
        if pod.metadata.namespace == namespace
        for volume in pod.spec.volumes or ()
    }
    uses = len(exclusive & in_use)
    for pod, _, sign in scene.corrections():
        uses += sign * sum(name in exclusive for name in named_claims(pod))
    return uses


def _restrictions(scene: Scene, node: Node) -> Refusal | None:
    mine = [disk for volume in scene.pod.spec.volumes or () for disk in _disks(volume)]
    for pod in scene.pods_on(node.metadata.name):
        for kind, theirs in [disk for volume in pod.spec.volumes or () for disk in _disks(volume)]:
            if any(kind == own and _same_disk(kind, disk, theirs) for own, disk in mine):
                return Refusal("VolumeRestrictions", frozenset({"node(s) had no available disk"}))
    if _uses(scene) > 0:
        reason = (
            "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by "
            "another pod"
        )
        return Refusal("VolumeRestrictions", frozenset({reason}))
    return None


def _has_no_restrictions(scene: Scene) -> bool:
    return not any(_disks(volume) for volume in scene.pod.spec.volumes or ()) and _uses(scene) == 0


def _missing_claim(scene: Scene) -> Refusal | None:
    for name in named_claims(scene.pod):
        if scene.cluster.claim(scene.pod.metadata.namespace, name) is None:
            reason = f'persistentvolumeclaim "{name}" not found'
            return Refusal("VolumeRestrictions", frozenset({reason}), resolvable=False)
    return None


RESTRICTIONS = Filter("VolumeRestrictions", _restrictions, skips=_has_no_restrictions, bars=_missing_claim)
