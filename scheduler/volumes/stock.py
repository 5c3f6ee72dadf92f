"""The storage objects of the cluster, kept by what the filters ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from msgspec import Struct

from ..objects import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from ..quantity import value
from .locator import Locator, Reach, reach_by_labels, reach_of
from .usage import ClaimKey, key_of, volume_class


class Shelved(NamedTuple):
    """A volume with its bytes and its name, and from where it can be used."""

    order: tuple[int, str]
    volume: PersistentVolume
    reach: Reach


Reported = tuple[int, CSIStorageCapacity]
"""What a driver has left, and the largest volume in bytes that this allows; -1 for none."""


class Stock:
    """What is there now. Objects of other kinds are left alone; removing what is not there is no error."""

    def __init__(self) -> None:
        self.volumes: dict[str, PersistentVolume] = {}
        self.claims: dict[ClaimKey, PersistentVolumeClaim] = {}
        self.classes: dict[str, StorageClass] = {}
        self.csi_nodes: dict[str, CSINode] = {}
        self.drivers: dict[str, CSIDriver] = {}
        self.limits: dict[str, dict[str, int]] = {}
        """Per node the drivers that say how many volumes they can attach there."""
        self.installed: dict[str, frozenset[str]] = {}
        self.attached: defaultdict[str, dict[str, VolumeAttachment]] = defaultdict(dict)
        """Per node the attachments by name."""
        self.attachments: dict[str, VolumeAttachment] = {}
        self._attaching: defaultdict[str, set[str]] = defaultdict(set)
        self._by_class: defaultdict[str, dict[str, Shelved]] = defaultdict(dict)
        self._ordered: dict[str, tuple[Shelved, ...]] = {}
        self._capacities: defaultdict[str, dict[ClaimKey, tuple[Reported, Reach]]] = defaultdict(dict)
        self._located: dict[str, Locator[Reported]] = {}

    def set(self, obj: Struct) -> None:
        self.remove(obj)
        match obj:
            case PersistentVolume():
                self.volumes[obj.metadata.name] = obj
                self._shelve(obj)
            case PersistentVolumeClaim():
                self.claims[key_of(obj)] = obj
            case StorageClass():
                self.classes[obj.metadata.name] = obj
            case CSINode():
                self._set_csi_node(obj)
            case CSIDriver():
                self.drivers[obj.metadata.name] = obj
            case CSIStorageCapacity():
                entry = (_largest(obj), obj), reach_by_labels(obj.node_topology)
                self._capacities[obj.storage_class_name][obj.metadata.namespace, obj.metadata.name] = entry
            case VolumeAttachment():
                self.attachments[obj.metadata.name] = obj
                self.attached[obj.spec.node_name][obj.metadata.name] = obj
                self._attaching[obj.spec.source.persistent_volume_name or ""].add(obj.spec.node_name)

    def remove(self, obj: Struct) -> None:
        match obj:
            case PersistentVolume():
                if before := self.volumes.pop(obj.metadata.name, None):
                    self._by_class[volume_class(before)].pop(obj.metadata.name, None)
                    self._ordered.pop(volume_class(before), None)
            case PersistentVolumeClaim():
                self.claims.pop(key_of(obj), None)
            case StorageClass():
                self.classes.pop(obj.metadata.name, None)
            case CSINode():
                self.csi_nodes.pop(obj.metadata.name, None)
                self.limits.pop(obj.metadata.name, None)
                self.installed.pop(obj.metadata.name, None)
            case CSIDriver():
                self.drivers.pop(obj.metadata.name, None)
            case CSIStorageCapacity():
                # A capacity's class does not change, but the object of a removal may be a mere shell.
                for storage_class, capacities in self._capacities.items():
                    if capacities.pop((obj.metadata.namespace, obj.metadata.name), None):
                        self._located.pop(storage_class, None)
                self._located.pop(obj.storage_class_name, None)
            case VolumeAttachment():
                if attachment := self.attachments.pop(obj.metadata.name, None):
                    self.attached[attachment.spec.node_name].pop(obj.metadata.name, None)
                    self._attaching[attachment.spec.source.persistent_volume_name or ""].discard(
                        attachment.spec.node_name
                    )

    def of_class(self, storage_class: str) -> tuple[Shelved, ...]:
        """The volumes of a class, the smallest first, then by name; none of those whose size cannot be read."""
        if storage_class not in self._ordered:
            ordered = sorted(self._by_class[storage_class].values(), key=lambda each: each.order)
            self._ordered[storage_class] = tuple(ordered)
        return self._ordered[storage_class]

    def capacities(self, storage_class: str) -> Locator[Reported]:
        """What drivers report for a class, by name; kube-scheduler asks them in no order."""
        if storage_class not in self._located:
            self._located[storage_class] = Locator(
                entry for _, entry in sorted(self._capacities[storage_class].items())
            )
        return self._located[storage_class]

    def nodes_attaching(self, volume: str) -> Collection[str]:
        """The nodes to which a volume is attached, by the attachments."""
        return self._attaching.get(volume, ())

    def _shelve(self, volume: PersistentVolume) -> None:
        name, storage_class = volume.metadata.name, volume_class(volume)
        size = bytes_or_none((volume.spec.capacity or {}).get("storage"))
        self._ordered.pop(storage_class, None)
        if size is not None:
            self._by_class[storage_class][name] = Shelved((size, name), volume, reach_of(volume))

    def _set_csi_node(self, csi_node: CSINode) -> None:
        name, drivers = csi_node.metadata.name, csi_node.spec.drivers or ()
        self.csi_nodes[name] = csi_node
        self.installed[name] = frozenset(driver.name for driver in drivers)
        self.limits[name] = {
            driver.name: driver.allocatable.count
            for driver in drivers
            if driver.allocatable is not None and driver.allocatable.count is not None
        }


def bytes_or_none(written: str | int | float | None) -> int | None:
    """A quantity in bytes; ``None`` when there is none, or it cannot be read."""
    try:
        return None if written is None else value(str(written))
    except ValueError:
        return None


def _largest(capacity: CSIStorageCapacity) -> int:
    most = capacity.maximum_volume_size
    size = bytes_or_none(capacity.capacity if most is None else most)
    return -1 if size is None else size
