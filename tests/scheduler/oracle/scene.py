"""What every rule is asked about: a pod to place in a cluster, perhaps with some pods added or taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from idcbench.scheduler.objects import Node, Pod

from .cluster import Cluster
from .profile import Profile


@dataclass(frozen=True, slots=True)
class Refusal:
    """A node (or every node) is refused. ``resolvable`` when taking pods away could change that."""

    plugin: str
    reasons: frozenset[str]
    resolvable: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """``added`` pods are nominated ones that count as if they ran on their node, ``removed`` are possible victims.

    kube-scheduler looks at the whole cluster once and then only corrects what it found by those two; where the
    correction counts otherwise than the first look does, a rule says so.
    """

    cluster: Cluster
    profile: Profile
    pod: Pod
    added: tuple[tuple[Pod, str], ...] = ()
    removed: tuple[Pod, ...] = ()

    def pods_on(self, name: str) -> list[Pod]:
        there = [pod for pod in self.cluster.pods_on(name) if pod not in self.removed]
        return there + [pod for pod, node in self.added if node == name]

    def placed(self) -> Iterator[tuple[Pod, Node]]:
        for node in self.cluster.nodes:
            for pod in self.pods_on(node.metadata.name):
                yield pod, node

    def corrections(self) -> Iterator[tuple[Pod, Node, int]]:
        """Each pod added (+1) or taken away (-1), with its node."""
        for pod, name in self.added:
            if node := self.cluster.node(name):
                yield pod, node, 1
        for pod in self.removed:
            if node := self.cluster.node(pod.spec.node_name):
                yield pod, node, -1

    @property
    def first_look(self) -> Scene:
        return replace(self, added=(), removed=())


def never(_scene: Scene) -> None:
    return None


def stays(_scene: Scene) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter plugin. ``skips``: it has nothing to say about this pod, decided by the first look at the cluster.

    ``bars`` refuses every node at once, ``narrows`` names the only nodes that are looked at.
    """

    name: str
    refuses: Callable[[Scene, Node], Refusal | None]
    skips: Callable[[Scene], bool] = stays
    bars: Callable[[Scene], Refusal | None] = never
    narrows: Callable[[Scene], frozenset[str] | None] = never


Scores = dict[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    """A score plugin: raw scores of the feasible nodes, ``None`` when it has nothing to say; and how they are
    normalised to 0–100 (unless they are already)."""

    name: str
    scores: Callable[[Scene, list[Node]], Scores | None]
    normalise: Callable[[Scene, Scores], Scores] = lambda _scene, raw: raw


def proportional(_scene: Scene, raw: Scores) -> Scores:
    """The highest becomes 100 (helper/normalize_score.go)."""
    most = max(0, *raw.values())
    return {node: score if most == 0 else truncated(100 * score, most) for node, score in raw.items()}


def reversed_proportional(_scene: Scene, raw: Scores) -> Scores:
    most = max(0, *raw.values())
    return {node: 100 if most == 0 else 100 - truncated(100 * score, most) for node, score in raw.items()}


def truncated(dividend: int, divisor: int) -> int:
    """Go's division of whole numbers, which rounds towards zero."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend >= 0) == (divisor >= 0) else -quotient
