"""NodeVolumeLimits: how many volumes of a CSI driver a node can hold (nodevolumelimits/csi.go).

In-tree disks count for the driver that serves them now, where the node has a CSINode object (csi-translation-lib).
"""

from __future__ import annotations

from idcbench.scheduler.objects import CSINode, Node, PersistentVolumeClaim, Pod
from idcbench.scheduler.objects.pod import Volume
from idcbench.scheduler.objects.storage import PersistentVolumeSpec

from .claims import claim_name, has_none
from .cluster import Cluster, labels_of
from .provisioning import class_of
from .scene import Filter, Refusal, Scene


def _attachable(scene: Scene, pod: Pod, *, switched: bool) -> dict[tuple[str, str], str]:
    """CSI volumes of the pod: driver by driver and handle. ``switched``: in-tree disks are such volumes too."""
    found = {}
    for volume in pod.spec.volumes or ():
        name = claim_name(pod, volume)
        claim = scene.cluster.claim(pod.metadata.namespace, name) if name else None
        known = _driver_and_handle(scene.cluster, claim, switched=switched) if claim else None
        if name is None and switched:
            known = _in_tree(volume, "")
        if known:
            found[known] = known[0]
    return found


def _driver_and_handle(cluster: Cluster, claim: PersistentVolumeClaim, *, switched: bool) -> tuple[str, str] | None:
    volume = cluster.volume(claim.spec.volume_name)
    if volume is not None:
        csi = volume.spec.csi
        if csi:
            return (csi.driver, csi.volume_handle) if csi.driver and csi.volume_handle else None
        labels = labels_of(volume)
        zone = labels.get("failure-domain.beta.kubernetes.io/zone") or labels.get("topology.kubernetes.io/zone", "")
        return _in_tree(volume.spec, zone) if switched else None
    # not provisioned yet: its class tells the driver, and no other claim has the same handle
    storage_class = cluster.storage_class(class_of(claim))
    if storage_class is None or not storage_class.provisioner:
        return None
    provisioner = storage_class.provisioner
    if provisioner in IN_TREE:
        if not switched or not IN_TREE[provisioner]:
            return None
        provisioner = IN_TREE[provisioner]
    return provisioner, f"claim {claim.metadata.namespace}/{claim.metadata.name}"


IN_TREE = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
    "kubernetes.io/azure-file": "",
    "kubernetes.io/vsphere-volume": "",
}
"""Provisioners that are translated; those without a driver here are, but do not count."""


def _in_tree(source: Volume | PersistentVolumeSpec, zone: str) -> tuple[str, str] | None:
    """Zones as the cases have them: one, or several that make up no region of GCE."""
    if disk := source.aws_elastic_block_store:
        return "ebs.csi.aws.com", disk.volume_id.split("/")[-1]
    if disk := source.gce_persistent_disk:
        where = f"projects/UNSPECIFIED/zones/{zone or 'UNSPECIFIED'}/disks/{disk.pd_name}"
        return None if "__" in zone else ("pd.csi.storage.gke.io", where)
    if disk := source.azure_disk:
        return "disk.csi.azure.com", disk.disk_uri
    if disk := source.cinder:
        return "cinder.csi.openstack.org", disk.volume_id
    if disk := source.portworx_volume:
        return "pxd.portworx.com", disk.volume_id
    return None


def _limits(scene: Scene, node: Node) -> Refusal | None:
    csi_node = scene.cluster.csi_node(node.metadata.name)
    switched = csi_node is not None
    wanted = _attachable(scene, scene.pod, switched=switched)
    needed = {driver for driver in wanted.values() if _must_be_installed(scene.cluster, driver)}
    missing = {driver for driver in needed if not _installed(csi_node, driver)}
    if missing:  # kube-scheduler names one of them, whichever comes first
        reasons = {f"{driver} CSI driver is not installed on the node" for driver in missing}
        return Refusal("NodeVolumeLimits", frozenset(reasons))
    drivers = (csi_node and csi_node.spec.drivers) or ()
    limits = {d.name: d.allocatable.count for d in drivers if d.allocatable and d.allocatable.count is not None}
    attached: dict[tuple[str, str], str] = {}
    for pod in scene.pods_on(node.metadata.name):
        attached |= _attachable(scene, pod, switched=switched)
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


def _has_no_part(scene: Scene) -> bool:
    return has_none(scene) and not any(_in_tree(volume, "") for volume in scene.pod.spec.volumes or ())


LIMITS = Filter("NodeVolumeLimits", _limits, skips=_has_no_part)
