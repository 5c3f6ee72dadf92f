"""ImageLocality: nodes that hold the pod's images already (imagelocality/image_locality.go)."""

from __future__ import annotations

from idcbench.scheduler.objects import Node

from .scene import Scene, Score, Scores

MIB = 1024 * 1024
LEAST, MOST_PER_IMAGE = 23 * MIB, 1000 * MIB


def full_name(image: str) -> str:
    return image if image.rfind(":") > image.rfind("/") else image + ":latest"


def _images(scene: Scene, nodes: list[Node]) -> Scores:
    spec = scene.pod.spec
    wanted = [full_name(c.image) for c in (*(spec.init_containers or ()), *(spec.containers or ()))]
    wanted += [full_name(volume.image.reference) for volume in spec.volumes or () if volume.image]
    return {node.metadata.name: _score(scene, node, wanted) for node in nodes}


def _score(scene: Scene, node: Node, wanted: list[str]) -> int:
    total = 0
    for image in wanted:
        size = _sizes(node).get(image)
        if size is not None:
            holders = sum(image in _sizes(other) for other in scene.cluster.nodes)
            total += int(size * (holders / len(scene.cluster.nodes)))
    most = MOST_PER_IMAGE * len(wanted)
    if total < LEAST:
        total = LEAST
    elif total > most:
        total = most
    return 100 * (total - LEAST) // (most - LEAST)


def _sizes(node: Node) -> dict[str, int]:
    """By every name of the image; the last entry of a name holds."""
    return {name: image.size_bytes for image in node.status.images or () for name in image.names or ()}


IMAGE_SCORE = Score("ImageLocality", _images)
