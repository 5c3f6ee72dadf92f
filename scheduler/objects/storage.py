"""What decides where a pod with volumes can run."""

from __future__ import annotations

from msgspec import Struct, field

from idcbench.kube.objects import ObjectMeta, ObjectReference

from .pod import DiskSource, LabelSelector, NodeSelector, Resources


class VolumeNodeAffinity(Struct, frozen=True, gc=False):
    required: NodeSelector | None = None


class CSIVolume(Struct, frozen=True, gc=False, rename="camel"):
    driver: str = ""
    volume_handle: str = ""


class PersistentVolumeSpec(Struct, frozen=True, gc=False, rename="camel"):
    capacity: dict[str, str | int | float] | None = None
    access_modes: tuple[str, ...] | None = None
    storage_class_name: str = ""
    volume_mode: str | None = None
    claim_ref: ObjectReference | None = None
    node_affinity: VolumeNodeAffinity | None = None
    csi: CSIVolume | None = None
    aws_elastic_block_store: DiskSource | None = None
    azure_disk: DiskSource | None = None
    gce_persistent_disk: DiskSource | None = None
    cinder: DiskSource | None = None
    portworx_volume: DiskSource | None = None
    volume_attributes_class_name: str | None = None


class Phase(Struct, frozen=True, gc=False):
    phase: str = ""


class PersistentVolume(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: PersistentVolumeSpec = PersistentVolumeSpec()
    status: Phase = Phase()


class PersistentVolumeClaimSpec(Struct, frozen=True, gc=False, rename="camel"):
    volume_name: str = ""
    storage_class_name: str | None = None
    access_modes: tuple[str, ...] | None = None
    volume_mode: str | None = None
    selector: LabelSelector | None = None
    resources: Resources = Resources()
    volume_attributes_class_name: str | None = None


class PersistentVolumeClaim(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()
    status: Phase = Phase()


class TopologyRequirement(Struct, frozen=True, gc=False):
    key: str = ""
    values: tuple[str, ...] | None = None


class TopologyTerm(Struct, frozen=True, gc=False, rename="camel"):
    match_label_expressions: tuple[TopologyRequirement, ...] | None = None


class StorageClass(Struct, frozen=True, gc=False, rename="camel"):
    metadata: ObjectMeta = ObjectMeta()
    provisioner: str = ""
    volume_binding_mode: str | None = None
    allowed_topologies: tuple[TopologyTerm, ...] | None = None


class CSINodeAllocatable(Struct, frozen=True, gc=False):
    count: int | None = None


class CSINodeDriver(Struct, frozen=True, gc=False, rename="camel"):
    name: str = ""
    node_id: str = field(default="", name="nodeID")
    topology_keys: tuple[str, ...] | None = None
    allocatable: CSINodeAllocatable | None = None


class CSINodeSpec(Struct, frozen=True, gc=False):
    drivers: tuple[CSINodeDriver, ...] | None = None


class CSINode(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: CSINodeSpec = CSINodeSpec()


class CSIDriverSpec(Struct, frozen=True, gc=False, rename="camel"):
    storage_capacity: bool | None = None
    attach_required: bool | None = None
    prevent_pod_scheduling_if_missing: bool | None = None


class CSIDriver(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: CSIDriverSpec = CSIDriverSpec()


class CSIStorageCapacity(Struct, frozen=True, gc=False, rename="camel"):
    metadata: ObjectMeta = ObjectMeta()
    storage_class_name: str = ""
    node_topology: LabelSelector | None = None
    capacity: str | int | float | None = None
    maximum_volume_size: str | int | float | None = None


class AttachedSource(Struct, frozen=True, gc=False, rename="camel"):
    persistent_volume_name: str | None = None


class VolumeAttachmentSpec(Struct, frozen=True, gc=False, rename="camel"):
    attacher: str = ""
    node_name: str = ""
    source: AttachedSource = AttachedSource()


class VolumeAttachment(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: VolumeAttachmentSpec = VolumeAttachmentSpec()
