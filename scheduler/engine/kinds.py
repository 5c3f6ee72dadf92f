"""Kinds of nodes (taints, cordon, features) and of pods (tolerations, features needed), and how they go together.

Semantics: component-helpers/scheduling/corev1 (ToleratesTaint without the comparison operators, whose gate is off in
1.37), plugins/nodeunschedulable, plugins/nodedeclaredfeatures.
"""

from __future__ import annotations

from typing import NamedTuple

from ..core.state import FEATURELESS, SHUNS, TAINTED, UNSCHEDULABLE
from ..objects import Node, Taint, Toleration
from .arrays import Arrays

_CORDON = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


class Kind(NamedTuple):
    taints: tuple[Taint, ...]
    unschedulable: bool
    features: frozenset[str]


class Bearing(NamedTuple):
    """What a pod can bear, and what it needs."""

    tolerations: tuple[Toleration, ...]
    features: frozenset[str]
    disabled: frozenset[str]
    """Filters that its policy has switched off."""


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether the toleration covers the taint; an operator that 1.37 does not know covers nothing."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    match toleration.operator:
        case "" | "Equal":
            return toleration.value == taint.value
        case "Exists":
            return True
        case _:
            return False


def untolerated(kind: Kind, tolerations: tuple[Toleration, ...]) -> Taint | None:
    """The first taint that keeps pods away and is not tolerated."""
    for taint in kind.taints:
        if taint.effect in ("NoSchedule", "NoExecute") and not any(tolerates(t, taint) for t in tolerations):
            return taint
    return None


def verdict(kind: Kind, bearing: Bearing) -> int:
    """The bits that the core reads."""
    tolerations, disabled = bearing.tolerations, bearing.disabled
    bits = 0
    cordoned = kind.unschedulable and not any(tolerates(t, _CORDON) for t in tolerations)
    if cordoned and "NodeUnschedulable" not in disabled:
        bits |= UNSCHEDULABLE
    if kind.taints:
        if "TaintToleration" not in disabled and untolerated(kind, tolerations) is not None:
            bits |= TAINTED
        mild = [t for t in tolerations if t.effect in ("", "PreferNoSchedule")]
        shunned = [t for t in kind.taints if t.effect == "PreferNoSchedule" and not any(tolerates(m, t) for m in mild)]
        bits |= min(len(shunned), SHUNS)
    if "NodeDeclaredFeatures" not in disabled and not bearing.features <= kind.features:
        bits |= FEATURELESS
    return bits


class Kinds:
    """Numbers for kinds and bearings; the table of verdicts is complete at any time."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._kinds: dict[Kind, int] = {}
        self._bearings: dict[Bearing, int] = {}
        self.by_number: list[Kind] = []

    def of_node(self, node: Node) -> int:
        kind = Kind(node.spec.taints or (), node.spec.unschedulable, frozenset(node.status.declared_features or ()))
        number = self._kinds.get(kind)
        if number is None:
            number = self._kinds[kind] = len(self._kinds)
            self.by_number.append(kind)
            self._arrays.ensure(kinds=number + 1)
            for bearing, row in self._bearings.items():
                self._arrays.state.verdicts[row, number] = verdict(kind, bearing)
        return number

    def of_pod(self, bearing: Bearing) -> int:
        number = self._bearings.get(bearing)
        if number is None:
            number = self._bearings[bearing] = len(self._bearings)
            self._arrays.ensure(tolerations=number + 1)
            for kind, column in self._kinds.items():
                self._arrays.state.verdicts[number, column] = verdict(kind, bearing)
        return number
