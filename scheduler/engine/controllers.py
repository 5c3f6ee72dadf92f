"""Services and controllers, as far as default spreading asks which pods belong together.

plugins/helper/spread.go: the selectors of all Services that match the pod, and of the controller that owns it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import cast

from msgspec import Struct

from ..decisions import Resource
from ..objects import LabelSelector, Pod, Requirement, Selecting, Service
from .members import is_empty

_OWNERS = {
    ("v1", "ReplicationController"): "replicationcontrollers",
    ("apps/v1", "ReplicaSet"): "replicasets",
    ("apps/v1", "StatefulSet"): "statefulsets",
}
KINDS = frozenset(("services", *_OWNERS.values()))


class Controllers:
    """What is there of them; ``selector_of`` is asked for every pod, and remembers."""

    def __init__(self) -> None:
        self._services: dict[str, dict[str, Service]] = defaultdict(dict)
        self._owners: dict[tuple[str, str, str], Struct] = {}
        self._known: dict[tuple[object, ...], LabelSelector | None] = {}

    def set(self, resource: Resource, obj: Struct) -> None:
        metadata = cast(Service, obj).metadata
        if resource == "services":
            self._services[metadata.namespace][metadata.name] = cast(Service, obj)
        else:
            self._owners[resource, metadata.namespace, metadata.name] = obj
        self._known.clear()

    def remove(self, resource: Resource, obj: Struct) -> None:
        metadata = cast(Service, obj).metadata
        if resource == "services":
            self._services[metadata.namespace].pop(metadata.name, None)
        else:
            self._owners.pop((resource, metadata.namespace, metadata.name), None)
        self._known.clear()

    def selector_of(self, pod: Pod) -> LabelSelector | None:
        """The pods that belong together with this one; ``None`` when nothing says so."""
        metadata = pod.metadata
        owner = next((o for o in metadata.owner_references or () if o.controller), None)
        resource = _OWNERS.get((owner.api_version, owner.kind)) if owner else None
        if resource is None and not self._services.get(metadata.namespace):
            return None
        labels = tuple(metadata.labels.items()) if metadata.labels else ()
        key = (metadata.namespace, labels, resource, owner.name if owner and resource else None)
        if key not in self._known:
            controller = self._owners.get((resource, metadata.namespace, owner.name)) if owner and resource else None
            self._known[key] = self._selector(metadata.namespace, dict(labels), controller)
        return self._known[key]

    def _selector(self, namespace: str, labels: dict[str, str], controller: Struct | None) -> LabelSelector | None:
        together: dict[str, str] = {}
        lines: tuple[Requirement, ...] = ()
        for service in self._services.get(namespace, {}).values():
            wanted = service.spec.selector
            if wanted and wanted.items() <= labels.items():
                together |= wanted
        if isinstance(controller, Service):
            together |= controller.spec.selector or {}
        elif isinstance(controller, Selecting) and controller.spec.selector is not None:
            selector = controller.spec.selector
            equal = tuple(Requirement(key, "In", (value,)) for key, value in (selector.match_labels or {}).items())
            lines = (*equal, *(selector.match_expressions or ()))
        merged = LabelSelector(together or None, lines or None)
        return None if is_empty(merged) else merged
