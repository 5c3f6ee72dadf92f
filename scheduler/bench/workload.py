"""What a row of the benchmark consists of: nodes, pods that are there, pods to be placed, what goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from . import templates
from .templates import Object

MEASURED = "measured-"
"""What the names of the pods to be placed begin with, and no others."""
CHURN_NAMESPACE = "churn"


@dataclass(frozen=True, slots=True)
class Batch:
    """``count`` objects, the ``i``-th made by ``make(i)``."""

    count: int
    make: Callable[[int], Object]

    def objects(self) -> Iterator[Object]:
        return (self.make(number) for number in range(self.count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """Every ``interval_s`` the objects of ``make`` (given the number of the turn) are created.

    ``recreate``: those of the turn before are deleted first.
    """

    interval_s: float
    mode: Literal["create", "recreate"]
    make: Callable[[int], tuple[Object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A row at one size. ``init`` pods are there and bound when the clock starts, one node after the other in turn.

    ``gang`` is the number of pods of each PodGroup, 0 without gangs; ``namespaces`` are made beside ``default``.
    """

    name: str
    nodes: tuple[Batch, ...]
    measured: Batch
    init: tuple[Batch, ...] = ()
    namespaces: tuple[str, ...] = ()
    gangs: Batch = Batch(0, lambda _: {})
    churn: Churn | None = None

    @property
    def pods(self) -> int:
        """How many pods are to be placed."""
        return self.measured.count

    @property
    def node_count(self) -> int:
        return sum(batch.count for batch in self.nodes)

    @property
    def init_count(self) -> int:
        return sum(batch.count for batch in self.init)

    def layers(self) -> Iterator[tuple[str, Iterator[Object]]]:
        """All objects in the order of creation: those of a layer need only what is in the layers before it."""
        namespaces = (*self.namespaces, *((CHURN_NAMESPACE,) if self.churn else ()))
        yield "namespaces", (templates.namespace(name) for name in namespaces)
        yield "priorities", iter([templates.priority_class(templates.HIGH_PRIORITY, 10)] if self.churn else [])
        yield "nodes", (one for batch in self.nodes for one in batch.objects())
        yield "pod groups", self.gangs.objects()
        yield "init pods", (self._placed(batch, number) for batch in self.init for number in range(batch.count))
        yield "measured pods", self.measured.objects()

    def _placed(self, batch: Batch, number: int) -> Object:
        nodes = self.nodes[0]
        name: str = nodes.make(number % nodes.count)["metadata"]["name"]
        return templates.placed(batch.make(number), name)
