"""Where a pod's volumes can be reached: VolumeBinding and VolumeZone.

Claims that wait for their first consumer are in ``provisioning``.
"""

from __future__ import annotations

from idcbench.scheduler.objects import Node, PersistentVolume, PersistentVolumeClaim

from . import provisioning
from .claims import all_claims, claim_name, has_none, named_claims
from .cluster import Cluster, labels_of
from .scene import Filter, Refusal, Scene
from .selectors import node_selected

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
BETA = {"failure-domain.beta.kubernetes.io/zone": ZONE, "failure-domain.beta.kubernetes.io/region": REGION}


def _barred(plugin: str, reason: str) -> Refusal:
    return Refusal(plugin, frozenset({reason}), resolvable=False)


# ---- VolumeZone (volumezone/volume_zone.go)


def _zone_bar(scene: Scene) -> Refusal | None:
    for name in named_claims(scene.pod):
        claim = scene.cluster.claim(scene.pod.metadata.namespace, name)
        if claim is not None and claim.spec.volume_name and scene.cluster.volume(claim.spec.volume_name) is None:
            return _barred("VolumeZone", f'persistentvolume "{claim.spec.volume_name}" not found')
    return None


def _zones(scene: Scene) -> list[tuple[str, set[str]]]:
    """The zones and regions that the pod's volumes are in, by label."""
    found = []
    for name in named_claims(scene.pod):
        claim = scene.cluster.claim(scene.pod.metadata.namespace, name)
        volume = scene.cluster.volume(claim.spec.volume_name) if claim else None
        for key in (*BETA, ZONE, REGION) if volume else ():
            assert volume is not None
            parts = [part.strip() for part in labels_of(volume).get(key, "").split("__")]
            if all(parts):
                found.append((key, set(parts)))
    return found


def _zone(scene: Scene, node: Node) -> Refusal | None:
    labels = labels_of(node)
    if not any(key in labels for key in (*BETA, ZONE, REGION)):
        return None
    for key, values in _zones(scene):
        value = labels.get(key, labels.get(BETA.get(key, key)))
        if value not in values:
            return Refusal("VolumeZone", frozenset({"node(s) had no available volume zone"}), resolvable=False)
    return None


# ---- VolumeBinding (volumebinding/{volume_binding,binder}.go)


def _binding_bar(scene: Scene) -> Refusal | None:
    """Claims that are not there, not the pod's own, lost, being deleted, or unbound with nobody to wait for."""
    namespace, pod = scene.pod.metadata.namespace, scene.pod.metadata
    for volume in scene.pod.spec.volumes or ():
        name = claim_name(scene.pod, volume)
        if not name:
            continue
        claim = scene.cluster.claim(namespace, name)
        if claim is None and volume.ephemeral:
            reason = f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
        elif claim is None:
            reason = f'persistentvolumeclaim "{name}" not found'
        elif claim.status.phase == "Lost":
            reason = f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim.spec.volume_name}"'
        elif claim.metadata.deletion_timestamp:
            reason = f'persistentvolumeclaim "{name}" is being deleted'
        elif volume.ephemeral and not any(
            o.controller and o.uid == pod.uid for o in claim.metadata.owner_references or ()
        ):
            reason = f"PVC {namespace}/{name} was not created for pod {namespace}/{pod.name} (pod is not owner)"
        else:
            continue
        return _barred("VolumeBinding", reason)
    immediate = [c for c in all_claims(scene) if not provisioning.bound(c) and not provisioning.waits(scene.cluster, c)]
    return _barred("VolumeBinding", "pod has unbound immediate PersistentVolumeClaims") if immediate else None


def _binding(scene: Scene, node: Node) -> Refusal | None:
    reasons = _bound_reasons(scene.cluster, [c for c in all_claims(scene) if provisioning.bound(c)], node)
    waiting = [claim for claim in all_claims(scene) if not provisioning.bound(claim)]
    reasons |= provisioning.provide(scene.cluster, waiting, node).reasons
    return Refusal("VolumeBinding", frozenset(reasons), resolvable=False) if reasons else None


def _bound_reasons(cluster: Cluster, claims: list[PersistentVolumeClaim], node: Node) -> set[str]:
    """Of the first bound claim that does not suit the node."""
    for claim in claims:
        volume = cluster.volume(claim.spec.volume_name)
        if volume is None:
            return {"node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"}
        if not reachable(volume, node):
            return {"node(s) didn't match PersistentVolume's node affinity"}
    return set()


def reachable(volume: PersistentVolume, node: Node) -> bool:
    required = volume.spec.node_affinity and volume.spec.node_affinity.required
    return node_selected(required, node, nameless=True) if required else True


BINDING = Filter("VolumeBinding", _binding, skips=has_none, bars=_binding_bar)
VOLUME_ZONE = Filter("VolumeZone", _zone, skips=lambda scene: not _zones(scene), bars=_zone_bar)
