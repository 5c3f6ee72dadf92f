"""Which classes of pods a predicate is about: labels under namespaces, or the owners of an affinity term."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from ..objects import LabelSelector, PodAffinityTerm
from ..selectors import label_selector

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Identity:
    """What other pods can see of a pod."""

    namespace: str
    labels: Labels


@dataclass(frozen=True)
class Target:
    """Pods that an affinity term, or a spread constraint, speaks of.

    ``namespaces`` are named; ``by_selector`` adds those whose labels it holds for, ``None`` adds none. ``key`` is the
    same for the same words.
    """

    namespaces: frozenset[str]
    by_selector: Callable[[Labels], bool] | None
    holds: Callable[[Labels], bool]
    key: tuple[object, ...]
    known_only: bool = False
    """Whether ``by_selector`` adds only namespaces that are known; else an unknown one has no labels."""

    def matches(self, identity: Identity, namespace_labels: Mapping[str, Labels]) -> bool:
        return self._reaches(identity.namespace, namespace_labels) and self.holds(identity.labels)

    def _reaches(self, namespace: str, namespace_labels: Mapping[str, Labels]) -> bool:
        if namespace in self.namespaces:
            return True
        if self.by_selector is None or (self.known_only and namespace not in namespace_labels):
            return False
        return self.by_selector(namespace_labels.get(namespace, {}))


def of_term(term: PodAffinityTerm, namespace: str, *, own: bool, of: str) -> Target:
    """The pods that a term of a pod in ``namespace`` speaks of. Raises ``SelectorError``.

    As upstream, a pod's ``own`` demand reaches by a selector only the namespaces that there are, while what others
    demand of it asks the labels of its namespace, known or not (interpodaffinity/plugin.go).
    """
    named = frozenset(term.namespaces or ())
    if not named and term.namespace_selector is None:
        named = frozenset((namespace,))
    by_selector = label_selector(term.namespace_selector, of=of) if term.namespace_selector is not None else None
    known_only = own and not is_empty(term.namespace_selector)
    key = (named, encoded(term.namespace_selector), encoded(term.label_selector), known_only)
    return Target(named, by_selector, label_selector(term.label_selector, of=of), key, known_only)


def of_selector(selector: LabelSelector | None, namespace: str, *, of: str) -> Target:
    """The pods that a spread constraint of a pod in ``namespace`` speaks of; an empty selector counts none of them."""
    holds = label_selector(selector, of=of)
    return Target(frozenset((namespace,)), None, holds, (frozenset((namespace,)), None, encoded(selector)))


def is_empty(selector: LabelSelector | None) -> bool:
    return selector is not None and not selector.match_labels and not selector.match_expressions


def encoded(selector: LabelSelector | None) -> bytes | None:
    return None if selector is None else msgspec.json.encode(selector, order="sorted")
