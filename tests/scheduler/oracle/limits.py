"""NodeVolumeLimits: how many volumes of a CSI driver a node can hold (nodevolumelimits/csi.go).

In-tree volumes that are translated to CSI drivers count in kube-scheduler too; they are not stated here, nor made by
the cases.
"""

from __future__ import annotations

from idcbench.scheduler.objects import CSINode, Node, PersistentVolumeClaim, Pod

from .claims import claim_name, has_none
from .cluster import Cluster
from .provisioning import class_of
from .scene import Filter, Refusal, Scene


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
    storage_class = cluster.storage_class(class_of(claim))
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
    return any(d.metadata.name == driver and d.spec.prevent_pod_scheduling_if_missing for d in cluster.csidrivers)


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


LIMITS = Filter("NodeVolumeLimits", _limits, skips=has_none)
