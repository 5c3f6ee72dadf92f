"""A node, as far as placement depends on it."""

from __future__ import annotations

from msgspec import Struct

from idcbench.kube.objects import Condition, ObjectMeta


class Taint(Struct, frozen=True, gc=False):
    key: str = ""
    value: str = ""
    effect: str = ""


class Image(Struct, frozen=True, gc=False, rename="camel"):
    """An image that a node holds, under all its names."""

    names: tuple[str, ...] | None = None
    size_bytes: int = 0


class NodeSpec(Struct, frozen=True, gc=False):
    unschedulable: bool = False
    taints: tuple[Taint, ...] | None = None


class NodeStatus(Struct, frozen=True, gc=False, rename="camel"):
    allocatable: dict[str, str | int | float] | None = None
    conditions: tuple[Condition, ...] | None = None
    images: tuple[Image, ...] | None = None
    declared_features: tuple[str, ...] | None = None


class Node(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()
