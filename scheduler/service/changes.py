"""What changed in the cluster, as far as it can let a waiting pod in. Words are kube-scheduler's event labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from idcbench.kube.known import EventType

from ..decisions import Resource
from ..objects import Node, Pod

KINDS: dict[Resource, str] = {
    "persistentvolumes": "PersistentVolume",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "storageclasses": "storage.k8s.io/StorageClass",
    "csinodes": "storage.k8s.io/CSINode",
    "csidrivers": "storage.k8s.io/CSIDriver",
    "csistoragecapacities": "storage.k8s.io/CSIStorageCapacity",
    "volumeattachments": "storage.k8s.io/VolumeAttachment",
    "deviceclasses": "resource.k8s.io/DeviceClass",
    "podgroups": "scheduling.k8s.io/PodGroup",
    "namespaces": "Namespace",
}
"""Resources of which any change is told as it is. Namespaces are no event of kube-scheduler's, but their labels decide
about ``namespaceSelector``."""
ACTIONS: dict[EventType, str] = {"ADDED": "Add", "MODIFIED": "Update", "DELETED": "Delete"}


@dataclass(frozen=True, slots=True)
class Change:
    """``label`` says what happened, ``obj`` to what; ``before`` is what it was."""

    label: str
    obj: Any = None
    before: Any = None


def node_changes(told: EventType, node: Node, before: Node | None) -> Iterator[Change]:
    """What happened to a node; nothing when only heartbeats and the like differ."""
    if told == "DELETED":
        yield Change("NodeDelete", node)
        return
    if before is None:
        yield Change("NodeAdd", node)
        return
    status, old_status = node.status, before.status
    if status.allocatable != old_status.allocatable:
        yield Change("NodeUpdateNodeAllocatable", node, before)
    if node.metadata.labels != before.metadata.labels:
        yield Change("NodeUpdateNodeLabel", node, before)
    if node.spec.taints != before.spec.taints or node.spec.unschedulable != before.spec.unschedulable:
        yield Change("NodeUpdateNodeTaint", node, before)
    if status.declared_features != old_status.declared_features:
        yield Change("NodeUpdateNodeDeclaredFeature", node, before)


def assigned_pod_changes(pod: Pod, before: Pod) -> Iterator[Change]:
    """What happened to a pod that has a node, and keeps it."""
    if pod.metadata.labels != before.metadata.labels:
        yield Change("AssignedPodUpdatePodLabel", pod, before)
    if _room(pod) != _room(before):
        yield Change("AssignedPodUpdatePodScaleDown", pod, before)


def target_pod_changes(pod: Pod, before: Pod) -> tuple[str, ...]:
    """What happened to a waiting pod itself, that may let it in."""
    labels: list[str] = []
    if pod.metadata.labels != before.metadata.labels:
        labels.append("TargetPodUpdatePodLabel")
    if pod.spec.tolerations != before.spec.tolerations:
        labels.append("TargetPodUpdatePodToleration")
    if pod.spec.scheduling_gates != before.spec.scheduling_gates:
        labels.append("TargetPodUpdatePodSchedulingGatesEliminated")
    if _requests(pod) != _requests(before):
        labels.append("TargetPodUpdatePodScaleDown")
    if not labels and pod.spec != before.spec:
        labels.append("TargetPodUpdate")
    return tuple(labels)


def other_change(resource: Resource, told: EventType, obj: Any) -> Change | None:
    """What happened to anything else; ``None`` when it can help nobody."""
    kind = KINDS.get(resource)
    return None if kind is None else Change(kind + ACTIONS[told], obj)


def _room(pod: Pod) -> object:
    """Everything that a resize in place alters. That it shrank is for the engine to know; that it changed suffices."""
    status = pod.status
    return _requests(pod), status.container_statuses and [
        (each.allocated_resources, each.resources) for each in status.container_statuses
    ]


def _requests(pod: Pod) -> object:
    return pod.spec.resources, [each.resources for each in pod.spec.containers or ()]
