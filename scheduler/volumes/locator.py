"""Finding the few of many things that a node can reach, without asking each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from ..objects import LabelSelector, NodeSelector, PersistentVolume, Requirement
from ..selectors import LabelPredicate, Labels, SelectorError, label_selector, node_selector

T = TypeVar("T")


class Reach(NamedTuple):
    """Which nodes, by their labels. Only a node with one of ``values`` under ``key`` can; no key, and any may."""

    holds: LabelPredicate
    key: str = ""
    values: tuple[str, ...] = ()


class Locator(Generic[T]):
    """Things in a fixed order, looked up by the labels of a node."""

    def __init__(self, entries: Iterable[tuple[T, Reach]]) -> None:
        self._anywhere: list[tuple[int, T, LabelPredicate]] = []
        self._by_label: dict[str, dict[str, list[tuple[int, T, LabelPredicate]]]] = {}
        for rank, (thing, reach) in enumerate(entries):
            entry = (rank, thing, reach.holds)
            if not reach.key:
                self._anywhere.append(entry)
            for value in dict.fromkeys(reach.values):
                self._by_label.setdefault(reach.key, {}).setdefault(value, []).append(entry)

    def at(self, labels: Labels) -> Iterator[T]:
        """What a node with these labels can reach, in the order of the entries."""
        near = self._anywhere
        for key, by_value in self._by_label.items():
            here = by_value.get(labels.get(key, "")) if key in labels else None
            if here:
                near = sorted((*near, *here), key=lambda entry: entry[0]) if near else here
        return (thing for _, thing, holds in near if holds(labels))


def reach_of(volume: PersistentVolume) -> Reach:
    """From where a volume can be used. An affinity that means nothing holds nowhere, as with kube-scheduler."""
    affinity = volume.spec.node_affinity
    if affinity is None or affinity.required is None:
        return _EVERYWHERE
    return _by_affinity(affinity.required)


def reach_by_labels(selector: LabelSelector | None) -> Reach:
    """The nodes that a label selector selects; an invalid one selects none."""
    try:
        holds = label_selector(selector)
    except SelectorError:
        return _NOWHERE
    lines = [Requirement(key, "In", (value,)) for key, value in ((selector and selector.match_labels) or {}).items()]
    return _anchored(holds, (*lines, *((selector and selector.match_expressions) or ())))


@lru_cache(maxsize=8192)
def _by_affinity(selector: NodeSelector) -> Reach:
    try:
        holds = node_selector(selector)
    except SelectorError:
        return _NOWHERE
    terms = selector.node_selector_terms or ()
    return _anchored(lambda labels: holds(labels, {}), (terms[0].match_expressions or ()) if len(terms) == 1 else ())


def _anchored(holds: LabelPredicate, lines: Iterable[Requirement]) -> Reach:
    for line in lines:
        if line.operator == "In" and line.values:
            return Reach(holds, line.key, line.values)
    return Reach(holds)


_EVERYWHERE = Reach(lambda _: True)
_NOWHERE = Reach(lambda _: False)
