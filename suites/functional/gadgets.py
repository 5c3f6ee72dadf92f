"""A kind of the suite's own: its CustomResourceDefinition and its objects, as pure functions."""

from __future__ import annotations

from idcbench.kube.crud import Manifest

COLUMN = {"name": "Colour", "type": "string", "jsonPath": ".spec.colour"}
SCHEMA: Manifest = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["colour"],
            "properties": {
                "colour": {"type": "string", "enum": ["red", "green", "blue"]},
                "size": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
                "serial": {
                    "type": "string",
                    "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "a serial stays"}],
                },
                "replicas": {"type": "integer"},
            },
            "x-kubernetes-validations": [
                {"rule": "self.colour != 'red' || self.size <= 5", "message": "red ones are small"}
            ],
        },
        "status": {
            "type": "object",
            "properties": {"phase": {"type": "string"}, "replicas": {"type": "integer"}},
        },
    },
}


def version(name: str, *, storage: bool = True) -> Manifest:
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "schema": {"openAPIV3Schema": SCHEMA},
        "subresources": {"status": {}, "scale": scale},
        "additionalPrinterColumns": [COLUMN],
        "selectableFields": [{"jsonPath": ".spec.colour"}],
    }


def definition(group: str, *versions: Manifest) -> Manifest:
    """The CRD of ``gadgets`` in ``group``; by default with the version v1 alone."""
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [*versions] or [version("v1")]}
    metadata = {"name": f"gadgets.{group}"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata,
        "spec": spec,
    }  # fmt: skip


def gadget(group: str, name: str, *, version: str = "v1", **spec: object) -> Manifest:
    return {"apiVersion": f"{group}/{version}", "kind": "Gadget", "metadata": {"name": name}, "spec": spec}
