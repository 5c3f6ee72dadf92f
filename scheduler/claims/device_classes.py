"""Extended resources that stand for devices of a class (resource.k8s.io, dynamic resource allocation)."""

from __future__ import annotations

from collections import defaultdict
from typing import Protocol

from idcbench.kube.objects import ObjectMeta

IMPLICIT = "deviceclass.resource.kubernetes.io/"
"""Before a class's name, the extended resource that every class has (api/resource/v1/types.go)."""


class DeviceClassSpecLike(Protocol):
    @property
    def extended_resource_name(self) -> str | None: ...


class DeviceClassLike(Protocol):
    """A DeviceClass, as far as it matters here."""

    @property
    def metadata(self) -> ObjectMeta: ...

    @property
    def spec(self) -> DeviceClassSpecLike: ...


class DeviceClasses:
    """Which extended resources are mapped to devices."""

    def __init__(self) -> None:
        self._resources: dict[str, str] = {}
        self._classes: defaultdict[str, set[str]] = defaultdict(set)

    def set(self, device_class: DeviceClassLike) -> None:
        self.remove(device_class)
        name, resource = device_class.metadata.name, device_class.spec.extended_resource_name
        self._resources[name] = resource or ""
        if resource:
            self._classes[resource].add(name)

    def remove(self, device_class: DeviceClassLike) -> None:
        """The class is gone. Unknown ones are no error."""
        self._classes[self._resources.pop(device_class.metadata.name, "")].discard(device_class.metadata.name)

    def of(self, resource: str) -> str | None:
        """The class whose devices the resource stands for; the first by name when several say so."""
        if resource.startswith(IMPLICIT):
            name = resource.removeprefix(IMPLICIT)
            return name if name in self._resources else None
        return min(self._classes.get(resource, ()), default=None)
