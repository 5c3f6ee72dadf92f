"""Finding a volume that is there already for a claim that waits for its first consumer.

As FindMatchingVolume of k8s.io/component-helpers/storage/volume does; among volumes of one size it takes whichever
comes first, here the first by name. Sizes are compared in whole bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence

from ..objects import PersistentVolume, PersistentVolumeClaim
from ..selectors import Labels, label_selector
from .locator import Locator, Reach
from .reservations import Reservations
from .stock import Shelved, bytes_or_none
from .usage import claim_class, key_of, volume_class


class Candidates:
    """The volumes that suit a claim, as far as that does not depend on the node."""

    def __init__(self, claim: PersistentVolumeClaim, shelf: Sequence[Shelved], reservations: Reservations) -> None:
        """Raises ``SelectorError`` or ``ValueError`` naming the claim when it cannot be read."""
        self.claim = claim
        suits = _suits(claim)
        self._own: list[tuple[PersistentVolume, Reach]] = []
        free: list[tuple[PersistentVolume, Reach]] = []
        for _, volume, reach in shelf[bisect_left(shelf, (claim_size(claim), ""), key=lambda each: each.order) :]:
            if reservations.is_for(volume, claim):
                if _same_kind(claim, volume):
                    self._own.append((volume, reach))
            elif not reservations.is_taken(volume) and _same_kind(claim, volume) and suits(volume):
                free.append((volume, reach))
        self._free = Locator(free)

    def at(self, labels: Labels, chosen: Collection[str]) -> PersistentVolume | None:
        """The volume for the claim on a node: its own, wherever that can be used, else the smallest not ``chosen``."""
        for volume, reach in self._own:
            if volume.metadata.name not in chosen:
                return volume if reach.holds(labels) else None
        return next((volume for volume in self._free.at(labels) if volume.metadata.name not in chosen), None)


def claim_size(claim: PersistentVolumeClaim) -> int:
    """The bytes that a claim asks for; zero when it does not say. Raises ``ValueError`` naming the claim."""
    written = (claim.spec.resources.requests or {}).get("storage")
    size = bytes_or_none(written)
    if written is not None and size is None:
        raise ValueError(f"{_named(claim)}: storage request {written!r} is no quantity")
    return size or 0


def _same_kind(claim: PersistentVolumeClaim, volume: PersistentVolume) -> bool:
    return (
        (claim.spec.volume_mode or "Filesystem") == (volume.spec.volume_mode or "Filesystem")
        and (claim.spec.volume_attributes_class_name or "") == (volume.spec.volume_attributes_class_name or "")
        and volume.metadata.deletion_timestamp is None
    )


def _suits(claim: PersistentVolumeClaim) -> Callable[[PersistentVolume], bool]:
    """What a volume has to be beyond large enough, when nobody has set it aside for the claim."""
    selector = claim.spec.selector
    selected = None if selector is None else label_selector(selector, of=_named(claim))
    wanted, modes = claim_class(claim), frozenset(claim.spec.access_modes or ())

    def suits(volume: PersistentVolume) -> bool:
        return (
            volume.status.phase == "Available"
            and volume_class(volume) == wanted
            and modes.issubset(volume.spec.access_modes or ())
            and (selected is None or selected(volume.metadata.labels or {}))
        )

    return suits


def _named(claim: PersistentVolumeClaim) -> str:
    return f"persistentvolumeclaim {'/'.join(key_of(claim))}"
