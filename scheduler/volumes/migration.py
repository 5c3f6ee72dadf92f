"""In-tree volumes and the CSI drivers that serve them now (k8s.io/csi-translation-lib)."""

from __future__ import annotations

from ..objects import PersistentVolume
from ..objects.pod import Volume

MIGRATED_TO = "pv.kubernetes.io/migrated-to"
"""The annotation by which the controller says which driver serves an in-tree volume."""

_DRIVERS = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
}
_NOT_COUNTED = frozenset(("kubernetes.io/azure-file", "kubernetes.io/vsphere-volume"))


def driver_of(provisioner: str, *, migrated: bool) -> str:
    """The driver that attaches what a provisioner makes, empty when that does not count on such a node.

    ``migrated`` says that the node has a CSINode object.
    """
    if provisioner in _DRIVERS:
        return _DRIVERS[provisioner] if migrated else ""
    return "" if provisioner in _NOT_COUNTED else provisioner


def inline(volume: Volume) -> tuple[str, str]:
    """Driver and handle of a disk that a pod names itself; empty ones for other volumes."""
    if volume.aws_elastic_block_store is not None:
        # Either the bare identity, or aws://ZONE/IDENTITY.
        return _DRIVERS["kubernetes.io/aws-ebs"], volume.aws_elastic_block_store.volume_id.rpartition("/")[2]
    if volume.gce_persistent_disk is not None:
        disk = volume.gce_persistent_disk.pd_name
        return _DRIVERS["kubernetes.io/gce-pd"], f"projects/UNSPECIFIED/zones/UNSPECIFIED/disks/{disk}"
    if volume.azure_disk is not None:
        return _DRIVERS["kubernetes.io/azure-disk"], volume.azure_disk.disk_name
    return "", ""


def persistent(volume: PersistentVolume, *, migrated: bool) -> tuple[str, str]:
    """Driver and handle of a persistent volume; empty ones when no driver attaches it.

    An in-tree volume goes by its name, since what it is made of is not read.
    """
    if volume.spec.csi is not None:
        return volume.spec.csi.driver, volume.spec.csi.volume_handle
    driver = (volume.metadata.annotations or {}).get(MIGRATED_TO, "")
    return (driver, volume.metadata.name) if migrated and driver in _DRIVERS.values() else ("", "")
