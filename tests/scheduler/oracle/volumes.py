"""Where a pod with volumes can run: VolumeRestrictions, NodeVolumeLimits, VolumeBinding, VolumeZone.

Claims that wait for their first consumer are in ``provisioning``. In-tree volumes that are translated to CSI drivers
count for NodeVolumeLimits in kube-scheduler; they are not stated here, nor made by the cases.
"""

from __future__ import annotations

from idcbench.scheduler.objects import CSINode, Node, PersistentVolume, PersistentVolumeClaim, Pod
from idcbench.scheduler.objects.pod import DiskSource, Volume

from . import provisioning
from .cluster import Cluster, labels_of
from .scene import Filter, Refusal, Scene
from .selectors import node_selected

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
BETA = {"failure-domain.beta.kubernetes.io/zone": ZONE, "failure-domain.beta.kubernetes.io/region": REGION}


def _barred(plugin: str, reason: str) -> Refusal:
    return Refusal(plugin, frozenset({reason}), resolvable=False)


def claim_name(pod: Pod, volume: Volume) -> str | None:
    if volume.persistent_volume_claim:
        return volume.persistent_volume_claim.claim_name
    return f"{pod.metadata.name}-{volume.name}" if volume.ephemeral else None


def _named_claims(pod: Pod) -> list[str]:
    """Those that the pod names itself; ephemeral volumes are looked at by VolumeBinding and NodeVolumeLimits only."""
    volumes = pod.spec.volumes or ()
    return [each.persistent_volume_claim.claim_name for each in volumes if each.persistent_volume_claim]


def _missing_claim(scene: Scene, plugin: str) -> Refusal | None:
    for name in _named_claims(scene.pod):
        if scene.cluster.claim(scene.pod.metadata.namespace, name) is None:
            return _barred(plugin, f'persistentvolumeclaim "{name}" not found')
    return None


# ---- VolumeRestrictions (volumerestrictions/volume_restrictions.go)


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
    found = [(name, scene.cluster.claim(scene.pod.metadata.namespace, name)) for name in _named_claims(scene.pod)]
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
        uses += sign * sum(name in exclusive for name in _named_claims(pod))
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


# ---- NodeVolumeLimits (nodevolumelimits/csi.go)


def _attachable(scene: Scene, pod: Pod) -> dict[tuple[str, str], str]:
    """CSI volumes of the pod: driver by driver and handle."""
    found = {}
    for volume in pod.spec.volumes or ():
        name = claim_name(pod, volume)
        claim = scene.cluster.claim(pod.metadata.namespace, name) if name else None
        if claim and (known := _driver_and_handle(scene.cluster, claim)):
            found[known] = known[0]
    return found


def _driver_and_handle(cluster: Cluster, claim: PersistentVolumeClaim) -> tuple[str, str] | None:
    volume = cluster.volume(claim.spec.volume_name)
    if volume is not None:
        csi = volume.spec.csi
        return (csi.driver, csi.volume_handle) if csi and csi.driver and csi.volume_handle else None
    # not provisioned yet: its class tells the driver, and no other claim has the same handle
    storage_class = cluster.storage_class(provisioning.class_of(claim))
    if storage_class is None or not storage_class.provisioner:
        return None
    return storage_class.provisioner, f"claim {claim.metadata.namespace}/{claim.metadata.name}"


def _limits(scene: Scene, node: Node) -> Refusal | None:
    csi_node = scene.cluster.csi_node(node.metadata.name)
    wanted = _attachable(scene, scene.pod)
    needed = {driver for driver in wanted.values() if _must_be_installed(scene.cluster, driver)}
    missing = {driver for driver in needed if not _installed(csi_node, driver)}
    if missing:  # kube-scheduler names one of them, whichever comes first
        reasons = {f"{driver} CSI driver is not installed on the node" for driver in missing}
        return Refusal("NodeVolumeLimits", frozenset(reasons))
    drivers = (csi_node and csi_node.spec.drivers) or ()
    limits = {d.name: d.allocatable.count for d in drivers if d.allocatable and d.allocatable.count is not None}
    attached: dict[tuple[str, str], str] = {}
    for pod in scene.pods_on(node.metadata.name):
        attached |= _attachable(scene, pod)
    wanted = {volume: driver for volume, driver in wanted.items() if volume not in attached}
    present = attached | _attachments(scene.cluster, node)
    for driver in set(wanted.values()):
        there = sum(each == driver for each in present.values())
        more = sum(each == driver for each in wanted.values())
        if driver in limits and there + more > limits[driver]:
            return Refusal("NodeVolumeLimits", frozenset({"node(s) exceed max volume count"}))
    return None


def _must_be_installed(cluster: Cluster, driver: str) -> bool:
    return any(
        d.metadata.name == driver and getattr(d.spec, "prevent_pod_scheduling_if_missing", None)
        for d in cluster.csidrivers
    )


def _installed(csi_node: CSINode | None, driver: str) -> bool:
    return csi_node is not None and any(each.name == driver for each in csi_node.spec.drivers or ())


def _attachments(cluster: Cluster, node: Node) -> dict[tuple[str, str], str]:
    """Volumes that are attached already, whoever uses them."""
    found = {}
    for attachment in cluster.volumeattachments:
        spec = attachment.spec
        volume = cluster.volume(spec.source.persistent_volume_name or "")
        if spec.node_name == node.metadata.name and spec.attacher and volume and volume.spec.csi:
            found[spec.attacher, volume.spec.csi.volume_handle] = spec.attacher
    return found


def _needs_no_volumes(scene: Scene) -> bool:
    return not any(claim_name(scene.pod, volume) for volume in scene.pod.spec.volumes or ())


# ---- VolumeZone (volumezone/volume_zone.go)


def _zone_bar(scene: Scene) -> Refusal | None:
    for name in _named_claims(scene.pod):
        claim = scene.cluster.claim(scene.pod.metadata.namespace, name)
        if claim is not None and claim.spec.volume_name and scene.cluster.volume(claim.spec.volume_name) is None:
            return _barred("VolumeZone", f'persistentvolume "{claim.spec.volume_name}" not found')
    return None


def _zones(scene: Scene) -> list[tuple[str, set[str]]]:
    """The zones and regions that the pod's volumes are in, by label."""
    found = []
    for name in _named_claims(scene.pod):
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


def _claims(scene: Scene) -> list[PersistentVolumeClaim]:
    names = [claim_name(scene.pod, volume) for volume in scene.pod.spec.volumes or ()]
    claims = [scene.cluster.claim(scene.pod.metadata.namespace, name) for name in names if name]
    return [claim for claim in claims if claim]


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
    immediate = [c for c in _claims(scene) if not provisioning.bound(c) and not provisioning.waits(scene.cluster, c)]
    return _barred("VolumeBinding", "pod has unbound immediate PersistentVolumeClaims") if immediate else None


def _binding(scene: Scene, node: Node) -> Refusal | None:
    reasons = _bound_reasons(scene.cluster, [c for c in _claims(scene) if provisioning.bound(c)], node)
    waiting = [claim for claim in _claims(scene) if not provisioning.bound(claim)]
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


RESTRICTIONS = Filter(
    "VolumeRestrictions",
    _restrictions,
    skips=_has_no_restrictions,
    bars=lambda scene: _missing_claim(scene, "VolumeRestrictions"),
)
LIMITS = Filter("NodeVolumeLimits", _limits, skips=_needs_no_volumes)
BINDING = Filter("VolumeBinding", _binding, skips=_needs_no_volumes, bars=_binding_bar)
VOLUME_ZONE = Filter("VolumeZone", _zone, skips=lambda scene: not _zones(scene), bars=_zone_bar)
