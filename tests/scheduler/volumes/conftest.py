"""A small cluster with storage, told to a VolumeIndex as the watch would tell it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from idcbench.scheduler.decisions import Resource
from idcbench.scheduler.objects import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    StorageClass,
    VolumeAttachment,
)
from idcbench.scheduler.volumes import Refused, VolumeIndex

BOUND = {"pv.kubernetes.io/bind-completed": "yes"}
TYPES: dict[Resource, type[msgspec.Struct]] = {
    "persistentvolumes": PersistentVolume,
    "persistentvolumeclaims": PersistentVolumeClaim,
    "storageclasses": StorageClass,
    "csinodes": CSINode,
    "csidrivers": CSIDriver,
    "csistoragecapacities": CSIStorageCapacity,
    "volumeattachments": VolumeAttachment,
}


def on_labels(**labels: str) -> dict[str, Any]:
    """A volume's node affinity."""
    lines = [{"key": key, "operator": "In", "values": values.split(",")} for key, values in labels.items()]
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": lines}]}}


class World:
    def __init__(self) -> None:
        self.index = VolumeIndex()
        self.nodes: list[Node] = []

    def tell(self, resource: Resource, name: str, *, meta: dict[str, Any] | None = None, **body: Any) -> msgspec.Struct:
        obj = msgspec.convert({"metadata": {"name": name, **(meta or {})}, **body}, TYPES[resource])
        self.index.set(resource, obj)
        return obj

    def node(self, name: str, **labels: str) -> Node:
        node = msgspec.convert({"metadata": {"name": name, "labels": labels}}, Node)
        self.nodes.append(node)
        return node

    def storage_class(self, name: str, *, mode: str | None = "WaitForFirstConsumer", **body: Any) -> None:
        provisioner = body.pop("provisioner", "kubernetes.io/no-provisioner")
        self.tell("storageclasses", name, volumeBindingMode=mode, provisioner=provisioner, **body)

    def volume(self, name: str, size: str = "1Gi", *, meta: dict[str, Any] | None = None, **spec: Any) -> None:
        phase = spec.pop("phase", "Available")
        spec = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "local"} | spec
        self.tell("persistentvolumes", name, meta=meta, spec=spec, status={"phase": phase})

    def claim(
        self, name: str, size: str = "1Gi", *, bound: str = "", meta: dict[str, Any] | None = None, **spec: Any
    ) -> PersistentVolumeClaim:
        phase = spec.pop("phase", "Bound" if bound else "Pending")
        requests = {"resources": {"requests": {"storage": size}}} if size else {}
        spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "local", **requests} | spec
        if bound:
            spec["volumeName"] = bound
        meta = {"namespace": "ns", "uid": name, "annotations": BOUND if bound else {}} | (meta or {})
        obj = self.tell("persistentvolumeclaims", name, meta=meta, spec=spec, status={"phase": phase})
        assert isinstance(obj, PersistentVolumeClaim)
        return obj

    def csi_node(self, name: str, **limits: int | None) -> None:
        drivers = [
            {"name": driver, "allocatable": None if count is None else {"count": count}}
            for driver, count in limits.items()
        ]
        self.tell("csinodes", name, spec={"drivers": drivers})

    @staticmethod
    def pod(*claims: str, name: str = "p", volumes: list[dict[str, Any]] | None = None) -> Pod:
        named = [{"name": f"v{at}", "persistentVolumeClaim": {"claimName": claim}} for at, claim in enumerate(claims)]
        meta = {"name": name, "namespace": "ns", "uid": f"uid-{name}"}
        return msgspec.convert({"metadata": meta, "spec": {"volumes": [*named, *(volumes or [])]}}, Pod)

    def judge(self, pod: Pod, **options: Any) -> dict[str, tuple[str, ...]]:
        """Per node the reasons against it; the pod must not be refused as a whole."""
        verdict = self.index.evaluate(pod, self.nodes, **options)
        assert verdict.refused is None
        return {
            node.metadata.name: refused.reasons if refused else ()
            for node, refused in zip(self.nodes, verdict.nodes, strict=True)
        }

    def refused(self, pod: Pod) -> Refused:
        """Why no node can take the pod."""
        refused = self.index.evaluate(pod, self.nodes).refused
        assert refused is not None
        return refused


@pytest.fixture
def world() -> World:
    return World()
