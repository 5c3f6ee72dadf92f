"""What the cluster carries besides Kubernetes: which manifests are applied, and which of them have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...hosts.inventory import Inventory
from ..addons import csr_approver, flannel, metrics_server, registry, removed
from ..addons.serving import Server, Serving
from ..addons.template import Manifest
from ..controlplane.pki import KeyPair
from . import own_scheduler
from .kubectl import Kubectl
from .wanted import Supplies

RECORD = "idcbench-addons"
"""The ConfigMap in kube-system that says what was applied: a digest by name."""


def manifests(
    inventory: Inventory, supplies: Supplies, *, authority: KeyPair | None, scheduler: str = ""
) -> dict[str, str]:
    """The manifests by name, in the order in which they are applied; ``scheduler`` is that of a scheduler of ours.

    Without the cluster's ``authority`` they have no certificates: good for telling whether they have changed.
    """
    addresses = {host.name: host.node_address for host in inventory.hosts}
    approver = csr_approver.manifests(image=supplies.image("csr-approver"), addresses=addresses)
    found = {"csr-approver": _text(approver), "removed": _text(removed.manifests())}
    match inventory.network.plugin:
        case "none":
            pass
        case "flannel":
            pods = str(inventory.network.pods)
            image = supplies.image("flannel")
            at, port = inventory.endpoint.address, inventory.endpoint.port
            found["flannel"] = _text(flannel.manifests(image=image, pods=pods, endpoint=at, port=port))
        case path:
            found["network"] = Path(path).read_text()
    metrics, images = (Serving.signed(authority, server.names) for server in servers(inventory))
    found["metrics-server"] = _text(metrics_server.manifests(image=supplies.image("metrics-server"), serving=metrics))
    found["registry"] = _text(
        registry.manifests(
            image=supplies.image("registry"), serving=images, address=str(inventory.network.registry_address),
            node=inventory.control_planes[0].name,
        )
    )  # fmt: skip
    if scheduler:
        found[own_scheduler.NAME] = scheduler
    return found


def servers(inventory: Inventory) -> tuple[Server, Server]:
    """Those that answer by TLS with a certificate of the cluster: metrics-server and the registry."""
    return metrics_server.SERVER, registry.server(str(inventory.network.registry_address))


def _text(objects: list[Manifest]) -> str:
    return yaml.safe_dump_all(objects, sort_keys=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the cluster itself keeps of us: digests of what was applied, by name, and who was removed."""

    applied: Mapping[str, str]
    removed: frozenset[str]

    def dropped(self, wanted: Mapping[str, str]) -> tuple[str, ...]:
        """What was applied and is wanted no more; only a scheduler of ours goes, the rest is replaced or stays."""
        return tuple(name for name in (own_scheduler.NAME,) if name in self.applied and name not in wanted)

    def changed(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Those of the manifests that were not applied as they are now."""
        return {name: text for name, text in wanted.items() if self.applied.get(name) != _digest(text)}


async def kept(kubectl: Kubectl | None) -> Kept:
    """Nothing where there is no cluster yet (``None``)."""
    if kubectl is None:
        return Kept(applied={}, removed=frozenset())
    listed = await kubectl.get("configmaps", "-n", "kube-system", "-l", f"{removed.LABEL[0]}={removed.LABEL[1]}")
    maps = {one["metadata"]["name"]: one.get("data") or {} for one in listed["items"]}
    return Kept(applied=maps.get(RECORD, {}), removed=frozenset(maps.get(removed.NAMES, {})))


def record(wanted: Mapping[str, str]) -> str:
    """The manifest of the record."""
    digests = {name: _digest(text) for name, text in wanted.items()}
    metadata = {"name": RECORD, "namespace": "kube-system", "labels": dict([removed.LABEL])}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": digests})


def _digest(text: str) -> str:
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()
