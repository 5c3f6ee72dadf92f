"""Classes of pods: a shape, an identity, and terms about other pods. The same words give the same class.

A term is a demand on a counter. Whoever owns a required anti-affinity or a preference is counted under that term, so
that a later pod which the term speaks of finds it without looking at any pod.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import msgspec

from ..core.state import (
    AVOID,
    AVOIDED,
    HARD,
    HAS_PRESENT,
    LIKE,
    NAME,
    NEED,
    POLICY,
    PORT,
    SKIPS_ALL,
    SKIPS_TERMINATING,
    SOFT,
)  # fmt: skip
from ..objects import LabelSelector, Pod, PodAffinityTerm, Requirement, SpreadConstraint
from ..policy import Policy
from ..requests import HostPort, host_ports
from ..selectors import label_selector
from .arrays import Arrays, Pool, room
from .columns import Columns
from .counters import ALL_NODES, Counters, Mask
from .members import Identity, Labels, Target, is_empty, of_selector, of_term
from .shapes import Shapes

HOSTNAME = "kubernetes.io/hostname"
Term = tuple[int, int, int, int, int]


@dataclass
class _Class:
    shape: int
    identity: Identity
    counted: list[int] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    own_preferences: bool = False


@dataclass(frozen=True)
class _Owned:
    """Pods that own a term: what it means to a pod that the term speaks of."""

    counter: int
    target: Target
    kind: int
    weight: int
    """Of a preference; for a required affinity, the weight is the looking pod's policy's."""
    hard: bool


class Classes:
    """Numbers for classes."""

    def __init__(
        self,
        arrays: Arrays,
        columns: Columns,
        shapes: Shapes,
        policies: Sequence[Policy],
        namespaces: Mapping[str, Labels],
        defaults: Callable[[Pod], LabelSelector | None],
    ) -> None:
        """``namespaces`` are the labels of each; ``defaults`` gives the selector of default spreading, if any."""
        self._arrays, self._columns, self._shapes, self._policies = arrays, columns, shapes, policies
        self._namespaces, self._defaults = namespaces, defaults
        self.counters = Counters(arrays, columns, shapes.program)
        self._known: dict[tuple[object, ...], int] = {}
        self._classes: list[_Class] = []
        self._in_namespace: dict[str, list[int]] = defaultdict(list)
        self._labelled: list[tuple[int, tuple[Target, ...]]] = []
        self._owned: list[_Owned] = []
        self._ports: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
        self._port_users: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
        self._counted_pool, self._terms_pool = Pool(arrays, "counted"), Pool(arrays, "terms")
        self._room: list[tuple[int, int]] = []
        self._by_namespace_labels = False
        """Whether some term depends on labels of namespaces."""

    def __len__(self) -> int:
        return len(self._classes)

    def looks_at(self, namespace: str) -> bool:
        """Whether classes may depend on the labels of the namespace: then a change of those changes classes."""
        return self._by_namespace_labels and bool(self._in_namespace.get(namespace))

    def identity(self, number: int) -> Identity:
        return self._classes[number].identity

    def of(self, pod: Pod, shape: int, policy: int) -> int:
        """The class of a pod. Raises ``ValueError`` when a selector cannot be read."""
        spec, metadata = pod.spec, pod.metadata
        affinity = spec.affinity
        others = (affinity.pod_affinity, affinity.pod_anti_affinity) if affinity else None
        spread = spec.topology_spread_constraints
        default = None if spread else self._defaults(pod)
        key = (
            shape,
            metadata.namespace,
            tuple(metadata.labels.items()) if metadata.labels else None,
            msgspec.json.encode(others) if others and (others[0] or others[1]) else None,
            msgspec.json.encode(spread) if spread else None,
            None if default is None else msgspec.json.encode(default),
            host_ports(pod),
        )
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self._add(pod, shape, policy, default)
        return number

    def _add(self, pod: Pod, shape: int, policy: int, default: LabelSelector | None) -> int:
        identity = Identity(pod.metadata.namespace, pod.metadata.labels or {})
        rules, of = self._policies[policy], f"pod {pod.key}"
        demands = self._read(pod, rules, default, of)  # before anything is changed: it can fail
        number = len(self._classes)
        mine = _Class(shape, identity, own_preferences=demands.prefers)
        self._classes.append(mine)
        self._in_namespace[identity.namespace].append(number)
        self._room.append((0, 0))
        self._arrays.ensure(classes=number + 1)
        self._arrays.state.class_shape[number] = shape
        for counter, targets in self._labelled:
            if all(target.matches(identity, self._namespaces) for target in targets):
                mine.counted.append(counter)
        for owned in self._owned:
            self._look(number, owned)
        self._own(number, demands)
        for make in demands.terms:
            mine.terms.append(make())
        if rules.filters("NodePorts"):
            self._use_ports(number, host_ports(pod))
        self._write(number)
        return number

    def _read(self, pod: Pod, rules: Policy, default: LabelSelector | None, of: str) -> _Demands:
        """All that the pod says about others, understood; counters come into being when the terms are made."""
        demands = _Demands()
        affinity = pod.spec.affinity
        near = affinity.pod_affinity if affinity else None
        far = affinity.pod_anti_affinity if affinity else None
        namespace = pod.metadata.namespace
        if pod.spec.topology_spread_constraints:
            self._read_spread(demands, pod, pod.spec.topology_spread_constraints, rules, of, demand_all=True)
        elif default is not None:
            given = [msgspec.structs.replace(line, label_selector=default) for line in rules.spread_defaults]
            self._read_spread(demands, pod, given, rules, of, demand_all=rules.spread_defaulting != "System")
        if near and near.required:
            self._read_needs(demands, pod, near.required, rules, of)
        for term in (far.required or ()) if far else ():
            target, found = self._targets(term, namespace, of)
            demands.owned.append((found, term.topology_key, AVOIDED, 0, False))
            if rules.filters("InterPodAffinity"):
                demands.terms.append(self._maker(AVOID, target, term.topology_key))
        for side, sign in ((near, 1), (far, -1)):
            for weighted in (side.preferred or ()) if side else ():
                term, weight = weighted.pod_affinity_term, sign * weighted.weight
                target, found = self._targets(term, namespace, of)
                demands.prefers = True
                demands.owned.append((found, term.topology_key, LIKE, weight, False))
                demands.terms.append(self._maker(LIKE, target, term.topology_key, weight))
        return demands

    def _read_needs(
        self, demands: _Demands, pod: Pod, terms: Sequence[PodAffinityTerm], rules: Policy, of: str
    ) -> None:
        identity = Identity(pod.metadata.namespace, pod.metadata.labels or {})
        both = [self._targets(term, pod.metadata.namespace, of) for term in terms]
        targets = tuple(own for own, _ in both)
        alone = all(target.matches(identity, self._namespaces) for target in targets)
        for term, (_, found) in zip(terms, both, strict=True):
            demands.owned.append((found, term.topology_key, LIKE, 0, True))
            if rules.filters("InterPodAffinity"):
                demands.terms.append(self._needer(targets, self._columns.column(term.topology_key), int(alone)))

    def _read_spread(
        self,
        demands: _Demands,
        pod: Pod,
        lines: Sequence[SpreadConstraint],
        rules: Policy,
        of: str,
        *,
        demand_all: bool,
    ) -> None:
        labels = pod.metadata.labels or {}
        program = self._shapes.required_program(pod)
        tolerations = self._shapes.tolerations_of(pod)
        for hard in (True, False):
            kind = "DoNotSchedule" if hard else "ScheduleAnyway"
            same = [line for line in lines if line.when_unsatisfiable == kind]
            if hard and not rules.filters("PodTopologySpread"):
                continue
            keys = tuple(sorted({self._columns.column(line.topology_key) for line in same}))
            for line in same:
                selector = _with_own_labels(line, labels)
                target = of_selector(selector, pod.metadata.namespace, of=of)
                mask = Mask(
                    program=-1 if program is None or line.node_affinity_policy == "Ignore" else program,
                    tolerations=tolerations if line.node_taints_policy == "Honor" else -1,
                    columns=keys if hard or demand_all else (),
                )
                own = int(label_selector(selector, of=of)(labels))
                # upstream an empty selector counts no pod, and yet matches all (common.go, countPodsMatchSelector)
                skips = SKIPS_ALL if is_empty(selector) else SKIPS_TERMINATING
                demands.terms.append(self._spread_maker(line, target, mask, own, hard, demand_all, skips))

    def _spread_maker(
        self, line: SpreadConstraint, target: Target, mask: Mask, own: int, hard: bool, demand_all: bool, skips: int
    ) -> Callable[[], Term]:
        column = self._columns.column(line.topology_key)

        def make() -> Term:
            if hard:
                counter = self._labelled_counter((target,), column, mask, skips | HAS_PRESENT)
                return HARD, counter, line.max_skew, own, 1 if line.min_domains is None else line.min_domains
            if line.topology_key == HOSTNAME:
                counter = self._labelled_counter((target,), NAME, ALL_NODES, skips)
            else:
                counter = self._labelled_counter((target,), column, mask, skips)
            return SOFT, counter, line.max_skew, int(demand_all), column

        return make

    def _targets(self, term: PodAffinityTerm, namespace: str, of: str) -> tuple[Target, Target]:
        """The pods that the term speaks of: as its owner's demand, and as others find it."""
        self._by_namespace_labels = self._by_namespace_labels or term.namespace_selector is not None
        return of_term(term, namespace, own=True, of=of), of_term(term, namespace, own=False, of=of)

    def _maker(self, kind: int, target: Target, key: str, weight: int = 0) -> Callable[[], Term]:
        column = self._columns.column(key)
        return lambda: (kind, self._labelled_counter((target,), column), weight, 0, 0)

    def _needer(self, targets: tuple[Target, ...], column: int, alone: int) -> Callable[[], Term]:
        return lambda: (NEED, self._labelled_counter(targets, column), alone, 0, 0)

    def _labelled_counter(
        self,
        targets: tuple[Target, ...],
        column: int,
        mask: Mask = ALL_NODES,
        flags: int = 0,
    ) -> int:
        """The counter of pods that all the targets speak of."""
        key = ("labels", frozenset(target.key for target in targets), column, mask, flags)
        number = self.counters.find(key)
        if number is None:
            number = self.counters.add(key, column=column, mask=mask, flags=flags)
            self._labelled.append((number, targets))
            members = [
                c
                for c in self._candidates(targets[0])
                if all(target.matches(self._classes[c].identity, self._namespaces) for target in targets)
            ]
            self._join(number, members)
        return number

    def _own(self, number: int, demands: _Demands) -> None:
        """Count the class among the owners of its terms, so that others see them."""
        for target, key, kind, weight, hard in demands.owned:
            column = self._columns.column(key)
            owned_key = ("owns", target.key, column, kind, weight, hard)
            counter = self.counters.find(owned_key)
            if counter is None:
                counter = self.counters.add(owned_key, column=column)
                owned = _Owned(counter, target, kind, weight, hard)
                self._owned.append(owned)
                for c in self._candidates(target):
                    if self._look(c, owned) and c != number:
                        self._write(c)
            self._classes[number].counted.append(counter)

    def _look(self, number: int, owned: _Owned) -> bool:
        """Give the class the term of others that speaks of it; whether it does."""
        mine = self._classes[number]
        if not owned.target.matches(mine.identity, self._namespaces):
            return False
        rules = self._policies[int(self._arrays.state.shape_of[mine.shape, POLICY])]
        if owned.kind == AVOIDED:
            if not rules.filters("InterPodAffinity"):
                return False
            mine.terms.append((AVOIDED, owned.counter, 0, 0, 0))
            return True
        weight = rules.hard_pod_affinity_weight if owned.hard else owned.weight
        if weight == 0 or (rules.ignore_preferred_terms_of_existing and not mine.own_preferences):
            return False
        mine.terms.append((LIKE, owned.counter, weight, 0, 0))
        return True

    def _candidates(self, target: Target) -> Sequence[int]:
        if target.by_selector is not None:
            return range(len(self._classes))
        return [c for namespace in target.namespaces for c in self._in_namespace[namespace]]

    def _use_ports(self, number: int, ports: Sequence[HostPort]) -> None:
        for protocol, ip, port in set(ports):
            by_ip, users = self._ports[protocol, port], self._port_users[protocol, port]
            if ip not in by_ip:
                by_ip[ip] = self.counters.add(("port", protocol, ip, port), column=NAME)
                for other, user in users:
                    if _same_address(ip, other):
                        self._classes[user].terms.append((PORT, by_ip[ip], 0, 0, 0))
                        if user != number:
                            self._write(user)
            users.append((ip, number))
            self._classes[number].counted.append(by_ip[ip])
            for other, counter in by_ip.items():
                term = (PORT, counter, 0, 0, 0)
                if _same_address(ip, other) and term not in self._classes[number].terms:
                    self._classes[number].terms.append(term)

    def _join(self, counter: int, members: Sequence[int]) -> None:
        for c in members:
            self._classes[c].counted.append(counter)
            self._write(c)
        self.counters.count(counter, members, len(self._classes))

    def _write(self, number: int) -> None:
        """Write a class's counters and terms to the arrays, moving them where they have no room."""
        mine = self._classes[number]
        mine.terms.sort(key=itemgetter(0))  # stable: spread constraints stay in the pod's order
        room_counted, room_terms = self._room[number]
        if len(mine.counted) > room_counted:
            room_counted = room(len(mine.counted))
            at = self._counted_pool.reserve(room_counted)
            self._arrays.state.counted_at[number] = at
        if len(mine.terms) > room_terms:
            room_terms = room(len(mine.terms))
            at = self._terms_pool.reserve(room_terms)
            self._arrays.state.terms_at[number] = at
        self._room[number] = room_counted, room_terms
        state = self._arrays.state
        at = int(state.counted_at[number])
        state.counted[at : at + len(mine.counted)] = mine.counted
        state.counted_len[number] = len(mine.counted)
        if mine.terms:
            at = int(state.terms_at[number])
            state.terms[at : at + len(mine.terms)] = mine.terms
        state.terms_len[number] = len(mine.terms)


@dataclass
class _Demands:
    """What a new class says about others: terms it owns, and terms to make (spread in the order of the pod)."""

    terms: list[Callable[[], Term]] = field(default_factory=list)
    owned: list[tuple[Target, str, int, int, bool]] = field(default_factory=list)
    prefers: bool = False


def _with_own_labels(line: SpreadConstraint, labels: Labels) -> LabelSelector | None:
    """The constraint's selector, narrowed to the pod's own values of its ``matchLabelKeys``."""
    selector = line.label_selector
    own = [Requirement(key, "In", (labels[key],)) for key in line.match_label_keys or () if key in labels]
    if not own or selector is None:
        return selector
    return LabelSelector(selector.match_labels, (*(selector.match_expressions or ()), *own))


def _same_address(a: str, b: str) -> bool:
    return a == b or "0.0.0.0" in (a, b)
