"""Room held on nodes for pods whose victims are still going."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ..core.state import I64
from ..objects import Pod
from .arrays import Arrays


class Nominations:
    """Which pod holds room where; false when there are none."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._held: dict[str, tuple[Pod, int, str, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def hold(self, pod: Pod, number: int, node: str, row: int) -> None:
        """The pod, of class ``number``, holds room on the node of that row."""
        self._held[pod.metadata.uid] = (pod, number, node, row)
        self._write()

    def drop(self, pod: Pod) -> None:
        if self._held and self._held.pop(pod.metadata.uid, None) is not None:
            self._write()

    def pods(self) -> list[tuple[Pod, str]]:
        return [(pod, node) for pod, _, node, _ in self._held.values()]

    @contextmanager
    def without(self, pod: Pod) -> Iterator[None]:
        """While the pod itself is looked at, what it holds does not stand in its way."""
        own = self._held.pop(pod.metadata.uid, None)
        if own is not None:
            self._write()
        try:
            yield
        finally:
            if own is not None:
                self._held[pod.metadata.uid] = own
                self._write()

    def beside(self, pod: Pod) -> dict[str, list[Pod]]:
        """Who holds room on which node, as far as the pod has to leave it to them."""
        found: dict[str, list[Pod]] = {}
        for other, _, node, _ in self._held.values():
            if other.priority >= pod.priority and other.metadata.uid != pod.metadata.uid:
                found.setdefault(node, []).append(other)
        return found

    def used(self, priority: int) -> I64:
        """What is taken of each node when the pods that hold room, of no lower priority, are there too."""
        used = self._arrays.state.used.copy()
        for pod, number, _, row in self._held.values():
            if pod.priority >= priority:
                used[row] += self._arrays.state.taken[self._arrays.state.class_shape[number]]
        return used

    def node_of(self, pod: Pod) -> str | None:
        """The node that was made free for the pod: where it holds room, else where its status says."""
        held = self._held.get(pod.metadata.uid)
        return held[2] if held else pod.status.nominated_node_name or None

    def _write(self) -> None:
        self._arrays.ensure(held=len(self._held))
        held = self._arrays.state.held
        held[:] = -1
        for i, (pod, number, _, row) in enumerate(self._held.values()):
            held[i] = np.array((number, row, pod.priority, -1), np.int64)
