"""What the fake API server holds: objects, and the events that led to them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """An API path taken apart. ``plural`` is empty for what is no resource (discovery, /readyz)."""

    api_version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @classmethod
    def of(cls, path: str) -> Place:
        parts = path.strip("/").split("/")
        head = 2 if parts[0] == "api" else 3
        api_version, rest = "/".join(parts[1:head]), parts[head:]
        namespace = ""
        if len(rest) >= 3 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        plural, name, subresource = (*rest, "", "", "")[:3]
        return cls(api_version, plural, namespace, name, subresource)

    def holds(self, other: Place) -> bool:
        return (self.api_version, self.plural) == (other.api_version, other.plural) and self.namespace in (
            "",
            other.namespace,
        )


@dataclass
class Event:
    version: int
    type: str
    place: Place
    object: Manifest


@dataclass
class Store:
    """Objects by place, every change under the next resource version."""

    version: int = 100
    compacted: int = 0
    objects: dict[Place, Manifest] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def put(self, place: Place, manifest: Manifest) -> Manifest:
        before = self.objects.get(place)
        if before is not None and {**before, "metadata": {}} == {**manifest, "metadata": {}}:
            same = {**before["metadata"], "managedFields": None} == {**manifest["metadata"], "managedFields": None}
            if same:
                return before
        stored = copy.deepcopy(manifest)
        self.version += 1
        meta = stored.setdefault("metadata", {})
        meta |= {"name": place.name, "resourceVersion": str(self.version)}
        meta.setdefault("uid", before["metadata"]["uid"] if before else f"uid-{self.version}")
        if place.namespace:
            meta["namespace"] = place.namespace
        self.objects[place] = stored
        self.events.append(Event(self.version, "MODIFIED" if before else "ADDED", place, stored))
        return stored

    def remove(self, place: Place) -> Manifest:
        gone = copy.deepcopy(self.objects.pop(place))
        self.version += 1
        gone["metadata"]["resourceVersion"] = str(self.version)
        self.events.append(Event(self.version, "DELETED", place, gone))
        return gone

    def compact(self) -> None:
        """Forget the events so far: a watch or a continue token from before now is answered 410."""
        self.compacted = self.version
        self.events = []


def merged(old: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    base = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            base.pop(key, None)
        else:
            base[key] = merged(base.get(key), value)
    return base
