"""Which claims a pod's volumes are of."""

from __future__ import annotations

from idcbench.scheduler.objects import PersistentVolumeClaim, Pod
from idcbench.scheduler.objects.pod import Volume

from .scene import Scene


def claim_name(pod: Pod, volume: Volume) -> str | None:
    if volume.persistent_volume_claim:
        return volume.persistent_volume_claim.claim_name
    return f"{pod.metadata.name}-{volume.name}" if volume.ephemeral else None


def named_claims(pod: Pod) -> list[str]:
    """Those that the pod names itself; ephemeral volumes are looked at by VolumeBinding and NodeVolumeLimits only."""
    volumes = pod.spec.volumes or ()
    return [each.persistent_volume_claim.claim_name for each in volumes if each.persistent_volume_claim]


def all_claims(scene: Scene) -> list[PersistentVolumeClaim]:
    """Of every volume that has one, ephemeral ones too, as far as they exist."""
    names = [claim_name(scene.pod, volume) for volume in scene.pod.spec.volumes or ()]
    claims = [scene.cluster.claim(scene.pod.metadata.namespace, name) for name in names if name]
    return [claim for claim in claims if claim]


def has_none(scene: Scene) -> bool:
    return not any(claim_name(scene.pod, volume) for volume in scene.pod.spec.volumes or ())
