"""What a watch knows: the objects as they were last told, and the version to go on from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Literal

from .listing import Listing
from .objects import KubeObject, Partial, T

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
Change = tuple[EventType, T]


class Known(Generic[T]):
    """Turns what servers say, with its repeats and gaps, into one gapless sequence of changes for each object.

    ADDED is told only of an object that was not known, MODIFIED and DELETED only of one that was. An object that was
    deleted and made anew under the same name is told as DELETED and ADDED.
    """

    def __init__(self) -> None:
        self.version = ""
        self._objects: dict[tuple[str, str], T] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def apply(self, told: str, obj: T) -> Iterator[Change[T]]:
        """The changes in an event of a stream: none when it is a repeat. Exhaust the iterator."""
        if not self._advance(obj.metadata.resource_version):
            return
        if told == "DELETED":
            if self._objects.pop(_key(obj), None) is not None:
                yield "DELETED", obj
            return
        yield from self._hold(obj)

    def misfit(self, told: str, obj: Partial) -> Iterator[Change[T]]:
        """The changes in an event whose object cannot be read whole: it is as it was, unless it is gone."""
        if not self._advance(obj.metadata.resource_version):
            return
        if told == "DELETED" and (known := self._objects.pop(_key(obj), None)) is not None:
            yield "DELETED", known

    def bookmark(self, version: str) -> None:
        """Take over a newer version without a change."""
        self._advance(version)

    def relist(self, listing: Listing[T]) -> Iterator[Change[T]]:
        """The changes between what was known and a list, which is known from now on.

        A deleted object is told as it was last known; one that is there but does not fit stays as it was. Exhaust the
        iterator before anything else.
        """
        there = {_key(obj) for obj in listing.items} | {_key(obj) for obj in listing.misfits}
        gone = self._objects.keys() - there
        for key in sorted(gone):
            yield "DELETED", self._objects.pop(key)
        for obj in listing.items:
            yield from self._hold(obj)
        self.version = listing.resource_version

    def expire(self) -> None:
        """Forget the version, not the objects: a list has to come next."""
        self.version = ""

    def _hold(self, obj: T) -> Iterator[Change[T]]:
        key = _key(obj)
        before = self._objects.get(key)
        if before is not None and _identity(before) == _identity(obj):
            return
        if before is not None and before.metadata.uid != obj.metadata.uid:
            yield "DELETED", before
            before = None
        self._objects[key] = obj
        yield ("ADDED" if before is None else "MODIFIED"), obj

    def _advance(self, version: str) -> bool:
        """Go on to ``version``; False when it was seen: versions of one kind grow with each change."""
        if version.isdecimal() and self.version.isdecimal() and int(version) <= int(self.version):
            return False
        self.version = version or self.version
        return True


def _key(obj: KubeObject) -> tuple[str, str]:
    return obj.metadata.namespace, obj.metadata.name


def _identity(obj: KubeObject) -> tuple[str, str]:
    return obj.metadata.uid, obj.metadata.resource_version
