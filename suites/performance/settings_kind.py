"""A custom resource that is like a ConfigMap in all but its kind, to be measured beside one."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from idcbench.kube.crud import Manifest
from idcbench.measure.calls import Call

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PLURAL = "settings"
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}


def definition(group: str) -> Manifest:
    """The CustomResourceDefinition of ``settings`` in that group."""
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"data": _TEXTS}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": PLURAL, "singular": "setting", "kind": "Setting", "listKind": "SettingList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": crd_name(group)},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def crd_name(group: str) -> str:
    return f"{PLURAL}.{group}"


def as_setting(create: Call, group: str) -> Call:
    """POST of the same data, of a ConfigMap's, as one of ours."""
    made = msgspec.json.decode(create.body) | {"apiVersion": f"{group}/v1", "kind": "Setting"}
    path = create.path.replace("/api/v1/", f"/apis/{group}/v1/").replace("/configmaps", f"/{PLURAL}")
    return replace(create, name=f"POST {PLURAL}", path=path, body=msgspec.json.encode(made).decode())
