"""Entities that no node could take, found again by what can help them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .changes import Change
from .entity import Entity
from .hints import BY_LABEL, DECLINED, HELPED_BY, WHATEVER, Listener, listener, shape


class Parked:
    """Waits by filter and shape: a change costs one look per kind of waiting pod, not one per pod."""

    def __init__(self) -> None:
        self._since: dict[Entity, float] = {}
        self._groups: dict[str, dict[bytes, tuple[Listener, set[Entity]]]] = {}
        self._filed: dict[Entity, list[tuple[str, bytes]]] = {}

    def __len__(self) -> int:
        return len(self._since)

    def __iter__(self) -> Iterator[Entity]:
        return iter(self._since)

    def add(self, entity: Entity, now_s: float) -> None:
        self._since[entity] = now_s
        self._filed[entity] = filed = []
        pod = next(iter(entity.members.values()))
        for plugin in entity.plugins:
            known = plugin if plugin in HELPED_BY or plugin == DECLINED else WHATEVER
            key = shape(pod, known)
            groups = self._groups.setdefault(known, {})
            if key not in groups:
                groups[key] = (listener(pod, known), set())
            groups[key][1].add(entity)
            filed.append((known, key))

    def remove(self, entity: Entity) -> None:
        del self._since[entity]
        for plugin, key in self._filed.pop(entity):
            groups = self._groups[plugin]
            groups[key][1].discard(entity)
            if not groups[key][1]:
                del groups[key]

    def helped_by(self, change: Change) -> list[Entity]:
        """Those that the change may let in, oldest first."""
        plugins = BY_LABEL.get(change.label, frozenset())
        found: set[Entity] = set()
        for plugin in (*plugins, WHATEVER):
            for listens, entities in self._groups.get(plugin, {}).values():
                if listens(change):
                    found |= entities
        return sorted(found, key=self._since.__getitem__)

    def older_than(self, limit_s: float) -> list[Entity]:
        """Those parked at or before ``limit_s``."""
        older = []
        for entity, since_s in self._since.items():  # in the order of parking
            if since_s > limit_s:
                break
            older.append(entity)
        return older

    def by_plugin(self) -> Counter[tuple[str, str]]:
        """Pods by the filter that refused them and by profile."""
        counted: Counter[tuple[str, str]] = Counter()
        for entity in self._since:
            for plugin in entity.plugins:
                counted[plugin, entity.profile] += len(entity.members)
        return counted
