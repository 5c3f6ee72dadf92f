"""Where in the API each resource that an engine hears of is found, and how it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..decisions import Resource
from ..objects import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    DeviceClass,
    DisruptionBudget,
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    PodGroup,
    Selecting,
    Service,
    StorageClass,
    VolumeAttachment,
)


@dataclass(frozen=True, slots=True)
class Source:
    """A collection of the whole cluster."""

    resource: Resource
    kind: Any
    """The Struct that its objects are decoded as."""
    path: str
    needed: bool = True
    """Whether every API server has it. One that is not needed may be absent (404) or out of bounds for us (403)."""


IN_TREE_GROUPS = "/apis/scheduling.k8s.io/v1beta1/podgroups"
PLUGIN_GROUPS = "/apis/scheduling.x-k8s.io/v1alpha1/podgroups"

SOURCES: tuple[Source, ...] = (
    Source("namespaces", Namespace, "/api/v1/namespaces"),
    Source("nodes", Node, "/api/v1/nodes"),
    Source("services", Service, "/api/v1/services"),
    Source("replicationcontrollers", Service, "/api/v1/replicationcontrollers"),
    Source("replicasets", Selecting, "/apis/apps/v1/replicasets"),
    Source("statefulsets", Selecting, "/apis/apps/v1/statefulsets"),
    Source("poddisruptionbudgets", DisruptionBudget, "/apis/policy/v1/poddisruptionbudgets"),
    Source("persistentvolumes", PersistentVolume, "/api/v1/persistentvolumes"),
    Source("persistentvolumeclaims", PersistentVolumeClaim, "/api/v1/persistentvolumeclaims"),
    Source("storageclasses", StorageClass, "/apis/storage.k8s.io/v1/storageclasses"),
    Source("csinodes", CSINode, "/apis/storage.k8s.io/v1/csinodes"),
    Source("csidrivers", CSIDriver, "/apis/storage.k8s.io/v1/csidrivers"),
    Source("csistoragecapacities", CSIStorageCapacity, "/apis/storage.k8s.io/v1/csistoragecapacities"),
    Source("volumeattachments", VolumeAttachment, "/apis/storage.k8s.io/v1/volumeattachments"),
    Source("podgroups", PodGroup, IN_TREE_GROUPS, needed=False),
    Source("podgroups", PodGroup, PLUGIN_GROUPS, needed=False),
    Source("deviceclasses", DeviceClass, "/apis/resource.k8s.io/v1/deviceclasses", needed=False),
    Source("pods", Pod, "/api/v1/pods"),
)
"""Pods come last: what they refer to is known by then."""
