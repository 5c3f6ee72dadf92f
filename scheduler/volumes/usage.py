"""Which claims and disks a pod uses, and what a claim says of itself."""

from __future__ import annotations

from typing import NamedTuple

from ..objects import PersistentVolume, PersistentVolumeClaim, Pod

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
SELECTED_NODE = "volume.kubernetes.io/selected-node"

ClaimKey = tuple[str, str]
"""Namespace and name."""


class Use(NamedTuple):
    """A claim that a pod names, or the one that is made for its ephemeral volume."""

    key: ClaimKey
    ephemeral: bool


def concerns(pod: Pod) -> bool:
    """Whether any filter of volumes has to look at the pod; most hold only config maps, secrets and tokens."""
    for volume in pod.spec.volumes or ():
        if (
            volume.persistent_volume_claim is not None
            or volume.ephemeral is not None
            or volume.gce_persistent_disk is not None
            or volume.aws_elastic_block_store is not None
            or volume.azure_disk is not None
            or volume.cinder is not None
            or volume.portworx_volume is not None
            or volume.iscsi is not None
            or volume.rbd is not None
        ):
            return True
    return False


def uses(pod: Pod) -> list[Use]:
    """The pod's claims, in the order of its volumes."""
    namespace, found = pod.metadata.namespace, []
    for volume in pod.spec.volumes or ():
        if volume.persistent_volume_claim is not None:
            found.append(Use((namespace, volume.persistent_volume_claim.claim_name), False))
        elif volume.ephemeral is not None:
            found.append(Use((namespace, f"{pod.metadata.name}-{volume.name}"), True))
    return found


def key_of(claim: PersistentVolumeClaim) -> ClaimKey:
    return claim.metadata.namespace, claim.metadata.name


def is_made_for(claim: PersistentVolumeClaim, pod: Pod) -> bool:
    """Whether the pod controls the claim, as the claim of an ephemeral volume must be."""
    controllers = [owner for owner in claim.metadata.owner_references or () if owner.controller]
    return bool(controllers) and controllers[0].uid == pod.metadata.uid


def claim_class(claim: PersistentVolumeClaim) -> str:
    """The name of the claim's storage class, empty for none."""
    return (claim.metadata.annotations or {}).get(CLASS_ANNOTATION, claim.spec.storage_class_name or "")


def volume_class(volume: PersistentVolume) -> str:
    return (volume.metadata.annotations or {}).get(CLASS_ANNOTATION, volume.spec.storage_class_name)


def is_bound(claim: PersistentVolumeClaim) -> bool:
    """Whether the claim has its volume for good: named, and completed by the controller."""
    return bool(claim.spec.volume_name) and BIND_COMPLETED in (claim.metadata.annotations or {})
