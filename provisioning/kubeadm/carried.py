"""What the cluster carries besides Kubernetes: which manifests are applied, and which of them have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from ...hosts.inventory import Inventory
from ..addons.flannel import flannel
from ..addons.metrics_server import metrics_server
from .kubectl import Kubectl
from .wanted import Supplies

RECORD = "idcbench-addons"
"""The ConfigMap in kube-system that says what was applied: a digest by name."""


def manifests(inventory: Inventory, supplies: Supplies) -> dict[str, str]:
    """The manifests by name, in the order in which they are applied."""
    found: dict[str, str] = {}
    match inventory.network.plugin:
        case "none":
            pass
        case "flannel":
            found["flannel"] = flannel(image=supplies.image("flannel"), pods=str(inventory.network.pods))
        case path:
            found["network"] = Path(path).read_text()
    found["metrics-server"] = metrics_server(image=supplies.image("metrics-server"))
    return found


async def changed(kubectl: Kubectl | None, wanted: Mapping[str, str]) -> dict[str, str]:
    """Those that were not applied as they are now; all where there is no cluster yet (``None``)."""
    if kubectl is None:
        return dict(wanted)
    listed = await kubectl.get("configmaps", "-n", "kube-system", f"--field-selector=metadata.name={RECORD}")
    applied = listed["items"][0].get("data", {}) if listed["items"] else {}
    return {name: text for name, text in wanted.items() if applied.get(name) != _digest(text)}


def record(wanted: Mapping[str, str]) -> str:
    """The manifest of the record."""
    digests = {name: _digest(text) for name, text in wanted.items()}
    metadata = {"name": RECORD, "namespace": "kube-system"}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": digests})


def _digest(text: str) -> str:
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()
