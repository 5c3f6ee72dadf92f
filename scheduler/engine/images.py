"""Images that pods name, and on which nodes they are. Images that no pod names take no room."""

from __future__ import annotations

from collections.abc import Mapping

from ..objects import Node, Pod
from .arrays import Arrays


def normalized(name: str) -> str:
    """With the tag that is meant when none is written (imagelocality.normalizedImageName)."""
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


class Images:
    """Rows for images."""

    def __init__(self, arrays: Arrays, nodes: Mapping[int, Node]) -> None:
        self._arrays = arrays
        self._nodes = nodes
        self._rows: dict[str, int] = {}
        self._known: dict[tuple[str, ...], tuple[tuple[int, ...], int]] = {}

    def of_pod(self, pod: Pod) -> tuple[tuple[int, ...], int]:
        """The rows of the images that the pod names, each as often as named, and how many it names."""
        spec = pod.spec
        names = [c.image for c in spec.containers or ()]
        if spec.init_containers:
            names = [c.image for c in spec.init_containers] + names
        if spec.volumes:
            names += [v.image.reference for v in spec.volumes if v.image is not None]
        key = tuple(names)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (tuple(self._row(normalized(name)) for name in names), len(names))
        return known

    def _row(self, name: str) -> int:
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = len(self._rows)
            self._arrays.ensure(images=row + 1)
            for at, node in self._nodes.items():
                for image in node.status.images or ():
                    if name in (image.names or ()):
                        self._arrays.state.image_bytes[row, at] = image.size_bytes
                        self._arrays.state.image_nodes[row] += 1
                        break
        return row

    def fill(self, at: int, node: Node | None) -> bool:
        """Write the images of a node (``None``: it has none any more); whether a named one came or went."""
        if not self._rows:
            return False
        state = self._arrays.state
        held: dict[int, int] = {}
        for image in (node.status.images or ()) if node else ():
            for name in image.names or ():
                if name in self._rows:
                    held[self._rows[name]] = image.size_bytes
        changed = False
        for row in range(len(self._rows)):
            before, now = int(state.image_bytes[row, at]), held.get(row, 0)
            if before != now:
                state.image_bytes[row, at] = now
                state.image_nodes[row] += (now > 0) - (before > 0)
                changed = True
        return changed
