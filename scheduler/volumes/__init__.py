"""Where a pod can run because of its volumes: VolumeBinding, VolumeZone, VolumeRestrictions and NodeVolumeLimits."""

from .index import VolumeIndex
from .verdict import Refused, VolumeVerdict

__all__ = ["Refused", "VolumeIndex", "VolumeVerdict"]
