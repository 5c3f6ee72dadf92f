"""A cluster at one moment, as plain lists of objects."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from idcbench.scheduler.objects import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    DisruptionBudget,
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    Selecting,
    Service,
    StorageClass,
    VolumeAttachment,
)


class Cluster(Struct, frozen=True, kw_only=True, rename="lower"):
    """The objects by the plurals of the API, as a case holds them; use :meth:`of`."""

    nodes: tuple[Node, ...] = ()
    pods: tuple[Pod, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    services: tuple[Service, ...] = ()
    replicationcontrollers: tuple[Service, ...] = ()
    replicasets: tuple[Selecting, ...] = ()
    statefulsets: tuple[Selecting, ...] = ()
    poddisruptionbudgets: tuple[DisruptionBudget, ...] = ()
    persistentvolumes: tuple[PersistentVolume, ...] = ()
    persistentvolumeclaims: tuple[PersistentVolumeClaim, ...] = ()
    storageclasses: tuple[StorageClass, ...] = ()
    csinodes: tuple[CSINode, ...] = ()
    csidrivers: tuple[CSIDriver, ...] = ()
    csistoragecapacities: tuple[CSIStorageCapacity, ...] = ()
    volumeattachments: tuple[VolumeAttachment, ...] = ()

    @classmethod
    def of(cls, objects: dict[str, list[dict[str, Any]]]) -> Cluster:
        return msgspec.convert(objects, cls)

    def node(self, name: str) -> Node | None:
        return next((node for node in self.nodes if node.metadata.name == name), None)

    def pods_on(self, name: str) -> list[Pod]:
        """What runs or is bound there; finished pods hold nothing and are not seen."""
        return [pod for pod in self.pods if pod.spec.node_name == name and not pod.over]

    def placed(self) -> list[tuple[Pod, Node]]:
        """Every pod that has a node, with that node; pods on nodes that do not exist are not seen."""
        return [(pod, node) for node in self.nodes for pod in self.pods_on(node.metadata.name)]

    def nominated_to(self, name: str) -> list[Pod]:
        """Pods that wait for a node that preemption made room on."""
        waiting = [pod for pod in self.pods if not pod.spec.node_name and not pod.over]
        return [pod for pod in waiting if pod.status.nominated_node_name == name]

    def claim(self, namespace: str, name: str) -> PersistentVolumeClaim | None:
        return next((each for each in self.persistentvolumeclaims if each.metadata.namespace == namespace
                     and each.metadata.name == name), None)  # fmt: skip

    def volume(self, name: str) -> PersistentVolume | None:
        return next((each for each in self.persistentvolumes if each.metadata.name == name), None)

    def storage_class(self, name: str) -> StorageClass | None:
        return next((each for each in self.storageclasses if each.metadata.name == name), None)

    def csi_node(self, name: str) -> CSINode | None:
        return next((each for each in self.csinodes if each.metadata.name == name), None)


def labels_of(thing: Node | Pod | Namespace | PersistentVolume) -> dict[str, str]:
    return thing.metadata.labels or {}
