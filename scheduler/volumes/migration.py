"""In-tree volumes and the CSI drivers that serve them now, as k8s.io/csi-translation-lib 0.37 translates them.

Drivers and handles only, which is what NodeVolumeLimits counts by. All of them are switched over on every node that
has a CSINode object (plugins/nodevolumelimits/utils.go); no annotation is asked.
"""

from __future__ import annotations

import re

from ..objects import PersistentVolume
from ..objects.pod import DiskSource, Volume
from ..objects.storage import PersistentVolumeSpec

_EBS, _GCE, _AZURE = "ebs.csi.aws.com", "pd.csi.storage.gke.io", "disk.csi.azure.com"
_CINDER, _PORTWORX = "cinder.csi.openstack.org", "pxd.portworx.com"
_DRIVERS = {
    "kubernetes.io/aws-ebs": _EBS,
    "kubernetes.io/azure-disk": _AZURE,
    "kubernetes.io/cinder": _CINDER,
    "kubernetes.io/gce-pd": _GCE,
    "kubernetes.io/portworx-volume": _PORTWORX,
}
_NOT_COUNTED = frozenset(("kubernetes.io/azure-file", "kubernetes.io/vsphere-volume"))
_EBS_IDENTITY = re.compile(r"vol-[^/]*")
_ZONE_LABELS = ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone")
_UNKNOWN = "UNSPECIFIED"

Attachment = tuple[str, str]
"""Driver and handle; both empty when no driver attaches the volume."""

NONE: Attachment = ("", "")


def driver_of(provisioner: str, *, migrated: bool) -> str:
    """The driver that attaches what a provisioner makes, empty when that does not count on such a node.

    ``migrated`` says that the node has a CSINode object.
    """
    if provisioner in _DRIVERS:
        return _DRIVERS[provisioner] if migrated else ""
    return "" if provisioner in _NOT_COUNTED else provisioner


def inline(volume: Volume) -> Attachment:
    """Of a disk that a pod names itself, on a node that has a CSINode object."""
    return _served(volume, zones="")


def persistent(volume: PersistentVolume, *, migrated: bool) -> Attachment:
    """Of a persistent volume. ``migrated`` as above."""
    if volume.spec.csi is not None:
        return volume.spec.csi.driver, volume.spec.csi.volume_handle
    if not migrated:
        return NONE
    labels = volume.metadata.labels or {}
    return _served(volume.spec, zones=next((labels[key] for key in _ZONE_LABELS if labels.get(key)), ""))


def _served(source: Volume | PersistentVolumeSpec, *, zones: str) -> Attachment:
    if source.aws_elastic_block_store is not None:
        return _named(_EBS, _ebs_identity(source.aws_elastic_block_store))
    if source.gce_persistent_disk is not None:
        place = _gce_place(zones)
        return _named(_GCE, place and f"projects/{_UNKNOWN}/{place}/disks/{source.gce_persistent_disk.pd_name}")
    if source.azure_disk is not None:
        return _named(_AZURE, source.azure_disk.disk_uri)
    if source.cinder is not None:
        return _named(_CINDER, source.cinder.volume_id)
    if source.portworx_volume is not None:
        return _named(_PORTWORX, source.portworx_volume.volume_id)
    return NONE


def _named(driver: str, handle: str) -> Attachment:
    return (driver, handle) if handle else NONE


def _ebs_identity(disk: DiskSource) -> str:
    """Either the bare identity, or ``aws://ZONE/IDENTITY`` with or without the zone; empty for what is neither."""
    if not disk.volume_id.startswith("aws://"):
        return disk.volume_id
    identity = disk.volume_id.removeprefix("aws://").partition("/")[2].strip("/")
    return identity if _EBS_IDENTITY.fullmatch(identity) else ""


def _gce_place(zones: str) -> str:
    """``zones/Z`` of one zone, ``regions/R`` of several in one region; empty when the zones make no sense."""
    each = zones.split("__")
    if len(each) == 1:
        return f"zones/{zones or _UNKNOWN}"
    parts = [zone.split("-") for zone in each]
    regions = {"-".join(part[:2]) for part in parts}
    return f"regions/{regions.pop()}" if len(regions) == 1 and all(len(part) == 3 for part in parts) else ""
