"""Which change can help a pod, by the filters that refused it: kube-scheduler's ``EventsToRegister`` and its hints.

A filter that is not named here (one of a newer engine) is helped by everything.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.json import encode

from ..objects import Affinity, Pod, PodAffinityTerm
from ..selectors import SelectorError, label_selector
from .changes import Change

_NODE_SPECIFIC = ("NodeAdd", "NodeUpdateNodeLabel")

HELPED_BY: dict[str, frozenset[str]] = {
    name: frozenset(labels)
    for name, labels in {
        "NodeName": ("NodeAdd",),
        "NodeUnschedulable": ("NodeAdd", "NodeUpdateNodeTaint", "TargetPodUpdatePodToleration"),
        "TaintToleration": ("NodeAdd", "NodeUpdateNodeTaint", "TargetPodUpdatePodToleration"),
        "NodeAffinity": _NODE_SPECIFIC,
        "NodePorts": ("AssignedPodDelete", "NodeAdd"),
        "NodeResourcesFit": (
            *("AssignedPodDelete", "AssignedPodUpdatePodScaleDown", "NodeAdd", "NodeUpdateNodeAllocatable"),
            *("TargetPodUpdatePodScaleDown", "resource.k8s.io/DeviceClassAdd", "resource.k8s.io/DeviceClassUpdate"),
        ),
        "NodeDeclaredFeatures": ("NodeAdd", "NodeUpdateNodeDeclaredFeature", "TargetPodUpdate"),
        "PodTopologySpread": (
            *("AssignedPodAdd", "AssignedPodUpdatePodLabel", "AssignedPodDelete"),
            *("TargetPodUpdatePodLabel", "TargetPodUpdatePodToleration"),
            *("NodeAdd", "NodeDelete", "NodeUpdateNodeLabel", "NodeUpdateNodeTaint"),
        ),
        "InterPodAffinity": (
            *("AssignedPodAdd", "AssignedPodUpdatePodLabel", "AssignedPodDelete", "TargetPodUpdatePodLabel"),
            *("NodeAdd", "NodeUpdateNodeLabel", "NamespaceAdd", "NamespaceUpdate"),
        ),
        "VolumeBinding": (
            *("storage.k8s.io/StorageClassAdd", "storage.k8s.io/StorageClassUpdate"),
            *("PersistentVolumeClaimAdd", "PersistentVolumeClaimUpdate"),
            *("PersistentVolumeAdd", "PersistentVolumeUpdate", *_NODE_SPECIFIC),
            *("storage.k8s.io/CSINodeAdd", "storage.k8s.io/CSINodeUpdate", "storage.k8s.io/CSIDriverUpdate"),
            *("storage.k8s.io/CSIStorageCapacityAdd", "storage.k8s.io/CSIStorageCapacityUpdate"),
        ),
        "VolumeZone": (
            *("storage.k8s.io/StorageClassAdd", "PersistentVolumeClaimAdd", "PersistentVolumeClaimUpdate"),
            *("PersistentVolumeAdd", "PersistentVolumeUpdate", *_NODE_SPECIFIC),
        ),
        "VolumeRestrictions": ("AssignedPodDelete", "NodeAdd", "PersistentVolumeClaimAdd"),
        "NodeVolumeLimits": (
            *("storage.k8s.io/CSINodeAdd", "storage.k8s.io/CSINodeUpdate", "AssignedPodDelete"),
            *("PersistentVolumeClaimAdd", "storage.k8s.io/VolumeAttachmentDelete"),
        ),
    }.items()
}
BY_LABEL: dict[str, frozenset[str]] = {
    label: frozenset(plugin for plugin, labels in HELPED_BY.items() if label in labels)
    for label in frozenset().union(*HELPED_BY.values())
}
"""The filters that a change can satisfy."""
DECLINED = "Declined"
"""Stands for the filters when the engine declined the pod: only the pod itself can change that."""
WHATEVER = "Whatever"
"""Stands for the filters when nobody knows which: everything helps."""


Listener = Callable[[Change], bool]
"""Whether a change is of the sort that some pods need; true when in doubt."""


def shape(pod: Pod, plugin: str) -> bytes:
    """Pods of one shape are helped by the same changes: they share a listener."""
    match plugin:
        case "InterPodAffinity":
            return encode((pod.metadata.namespace, pod.spec.affinity))
        case "PodTopologySpread":
            return encode((pod.metadata.namespace, pod.spec.topology_spread_constraints))
        case "VolumeBinding" | "VolumeZone" | "VolumeRestrictions":
            return encode((pod.metadata.namespace, sorted(_claims(pod))))
        case _:
            return b""


def listener(pod: Pod, plugin: str) -> Listener:
    """What the pods of this shape listen to among the changes that can satisfy ``plugin``."""
    try:
        match plugin:
            case "InterPodAffinity":
                return _affinity_listener(pod)
            case "PodTopologySpread":
                return _spread_listener(pod)
            case "VolumeBinding" | "VolumeZone" | "VolumeRestrictions":
                return _claim_listener(pod)
    except SelectorError:  # what the engine makes of it is its affair; here everything helps
        pass
    return _everything


def _everything(_change: Change) -> bool:
    return True


def _affinity_listener(pod: Pod) -> Listener:
    """A pod with anti-affinity of its own that goes may be what was in the way; else a term of ours has to match."""
    terms = [_term(term, pod) for term in _required_terms(pod.spec.affinity)]

    def listens(change: Change) -> bool:
        if not change.label.startswith("AssignedPod"):
            return True
        if change.label != "AssignedPodAdd" and _has_anti_affinity(change.obj):
            return True
        return any(term(each) for term in terms for each in (change.obj, change.before) if each is not None)

    return listens


def _has_anti_affinity(pod: Pod) -> bool:
    affinity = pod.spec.affinity
    return affinity is not None and affinity.pod_anti_affinity is not None


def _required_terms(affinity: Affinity | None) -> tuple[PodAffinityTerm, ...]:
    if affinity is None:
        return ()
    sides = (affinity.pod_affinity, affinity.pod_anti_affinity)
    return tuple(term for side in sides if side is not None for term in side.required or ())


def _term(term: PodAffinityTerm, pod: Pod) -> Callable[[Pod], bool]:
    matches = label_selector(term.label_selector, of=f"pod {pod.key}")
    namespaces = None if term.namespace_selector is not None else term.namespaces or (pod.metadata.namespace,)

    def holds(other: Pod) -> bool:
        meta = other.metadata
        return (namespaces is None or meta.namespace in namespaces) and matches(meta.labels or {})

    return holds


def _spread_listener(pod: Pod) -> Listener:
    namespace = pod.metadata.namespace
    constraints = pod.spec.topology_spread_constraints or ()
    selectors = [label_selector(each.label_selector, of=f"pod {pod.key}") for each in constraints]

    def listens(change: Change) -> bool:
        if not change.label.startswith("AssignedPod"):
            return True
        pods = [each.metadata for each in (change.obj, change.before) if each is not None]
        return any(meta.namespace == namespace and matches(meta.labels or {}) for matches in selectors for meta in pods)

    return listens


def _claim_listener(pod: Pod) -> Listener:
    claims, namespace = _claims(pod), pod.metadata.namespace

    def listens(change: Change) -> bool:
        if not change.label.startswith("PersistentVolumeClaim"):
            return True
        return change.obj.metadata.namespace == namespace and change.obj.metadata.name in claims

    return listens


def _claims(pod: Pod) -> frozenset[str]:
    """The claims that the pod names; those of its ephemeral volumes are called after pod and volume."""
    named = (volume.persistent_volume_claim for volume in pod.spec.volumes or ())
    own = (f"{pod.metadata.name}-{volume.name}" for volume in pod.spec.volumes or () if volume.ephemeral is not None)
    return frozenset((*(claim.claim_name for claim in named if claim is not None), *own))
