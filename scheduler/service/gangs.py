"""How many pods a gang needs, how many it has, and who of it waits together."""

from __future__ import annotations

from collections.abc import Iterator

from ..objects import Pod, PodGroup
from .entity import OWN_SIZE_LABEL, Entity, GangKey, gang_key


class Gangs:
    """Known by the PodGroups of either API and by labels."""

    def __init__(self) -> None:
        self._groups: dict[GangKey, PodGroup] = {}
        self._bound: dict[GangKey, set[str]] = {}
        self._gathering: dict[GangKey, Entity] = {}

    def set_group(self, source: str, group: PodGroup) -> None:
        self._groups[GangKey(source, group.metadata.namespace, group.metadata.name)] = group

    def remove_group(self, source: str, group: PodGroup) -> None:
        self._groups.pop(GangKey(source, group.metadata.namespace, group.metadata.name), None)

    def bound(self, pod: Pod) -> None:
        """A pod has, or is about to have, a node: it counts towards its gang."""
        if (key := gang_key(pod)) is not None:
            self._bound.setdefault(key, set()).add(pod.metadata.uid)

    def unbound(self, pod: Pod) -> None:
        if (key := gang_key(pod)) is not None and (uids := self._bound.get(key)) is not None:
            uids.discard(pod.metadata.uid)
            if not uids:
                del self._bound[key]

    def size(self, entity: Entity) -> int | None:
        """How many pods the gang needs at the least; ``None`` while that is not known."""
        key = entity.gang
        assert key is not None
        if key.source == "label":
            sizes = [(pod.metadata.labels or {}).get(OWN_SIZE_LABEL, "") for pod in entity.members.values()]
            numbers = [int(size) for size in sizes if size.isdecimal()]
            return max(numbers) if numbers else None
        group = self._groups.get(key)
        if group is None:
            return None
        if key.source == "plugin":
            return group.spec.min_member
        policy = group.spec.scheduling_policy
        return policy.gang.min_count if policy is not None and policy.gang is not None else 1

    def lacking(self, entity: Entity) -> int | None:
        """How many of the waiting pods have to be placed together, at least 1; ``None`` while the size is unknown."""
        size = self.size(entity)
        assert entity.gang is not None
        return None if size is None else max(1, size - len(self._bound.get(entity.gang, ())))

    def begun(self, entity: Entity) -> bool:
        """Whether some of the gang are bound, and too few: a leader died between its bindings, say."""
        key = entity.gang
        if key is None or not (bound := len(self._bound.get(key, ()))):
            return False
        size = self.size(entity)
        return size is not None and bound < size

    def complete(self, entity: Entity) -> bool:
        """Whether enough pods are there to be decided."""
        lacking = self.lacking(entity)
        return lacking is not None and lacking <= len(entity.members)

    def patience_s(self, entity: Entity) -> float | None:
        """The time limit that the group itself sets."""
        group = self._groups.get(entity.gang) if entity.gang is not None else None
        limit_s = group.spec.schedule_timeout_seconds if group is not None else None
        return None if limit_s is None else float(limit_s)

    def join(self, entity: Entity) -> Entity:
        """The one entity in which this gang gathers: ``entity``, if there is no other."""
        assert entity.gang is not None
        return self._gathering.setdefault(entity.gang, entity)

    def gathered(self, pod: Pod) -> Entity | None:
        """What gathers of the gang of a pod, which may have a node itself."""
        key = gang_key(pod)
        return self._gathering.get(key) if key is not None else None

    def part(self, entity: Entity) -> None:
        """The entity gathers no more (it is being decided, or empty)."""
        if entity.gang is not None and self._gathering.get(entity.gang) is entity:
            del self._gathering[entity.gang]

    def gathering(self) -> Iterator[Entity]:
        return iter(tuple(self._gathering.values()))

    def explain_begun(self, entity: Entity) -> str:
        """What is added to the refusal of a gang that could not be finished; empty for others."""
        if not self.begun(entity) or entity.gang is None:
            return ""
        bound = len(self._bound.get(entity.gang, ()))
        return f" gang {entity.gang.name}: {bound} of at least {self.size(entity)} pods are bound already."

    def explain(self, entity: Entity) -> str:
        """Why an incomplete gang waits, in a sentence for its pods' events."""
        key, size = entity.gang, self.size(entity)
        assert key is not None
        if size is None and key.source == "label":
            return f"gang {key.name}: label {OWN_SIZE_LABEL} is missing or no whole number"
        if size is None:
            return f"gang {key.name}: there is no PodGroup {key.namespace}/{key.name}"
        there = len(entity.members) + len(self._bound.get(key, ()))
        return f"gang {key.name}: {there} of at least {size} pods are there"
