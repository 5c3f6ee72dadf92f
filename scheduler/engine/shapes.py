"""What a pod asks of a single node, as a row that all pods of the same requests, selectors and images share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from ..claims import required_features
from ..core.state import BOARD, CPU, EPHEMERAL, MEMORY, PODS, POLICY, PROGRAM, SCALARS, TOLERATION
from ..objects import Node, NodeAffinity, NodeSelector, NodeSelectorTerm, Pod, Requirement
from ..policy import Policy
from ..quantity import milli_value, value
from ..requests import nonzero_requests, pod_requests
from ..selectors import SelectorError
from .arrays import Arrays, Pool
from .columns import FIELD_NAME, Columns
from .images import Images
from .kinds import Bearing, Kinds

NATIVE = {"cpu": CPU, "memory": MEMORY, "ephemeral-storage": EPHEMERAL, "pods": PODS}
AMOUNT_MOST = 2**53
"""No node counts as having more of anything (8 PiB of memory), so that no sum over a thousand pods leaves 64 bits.

A pod that asks for more than this fits nowhere; upstream's sums wrap round, and a node full beyond measure looks empty.
"""
NOTHING: Mapping[str, int] = {}
_NO_DISABLED: frozenset[str] = frozenset()


class Placeless(NamedTuple):
    """A pod's shape, and the one node it names, if it names one in the manner of DaemonSets."""

    shape: int
    pin: str | None


class Shapes:
    """Numbers for shapes."""

    def __init__(
        self, arrays: Arrays, columns: Columns, kinds: Kinds, images: Images, policies: Sequence[Policy]
    ) -> None:
        self._arrays, self._columns, self._kinds, self._images = arrays, columns, kinds, images
        self._policies = policies
        self._programs = Pool(arrays, "program")
        self._known_programs: dict[tuple[int, ...], int] = {}
        self._shapes: dict[tuple[object, ...], int] = {}
        self.resources: dict[str, int] = dict(NATIVE)
        self.bearings: list[Bearing] = []
        self._spreading = {
            row
            for row, policy in enumerate(policies)
            if any(line.when_unsatisfiable == "DoNotSchedule" for line in policy.spread_defaults)
        }
        """Policies under which any pod may have spread constraints that filter."""
        for row, policy in enumerate(policies):
            self._write_policy(row, policy)

    def __len__(self) -> int:
        return len(self._shapes)

    def resource(self, name: str) -> int:
        """The column of a resource."""
        column = self.resources.get(name)
        if column is None:
            column = self.resources[name] = len(self.resources)
            self._arrays.ensure(resources=column + 1)
        return column

    def allocatable(self, node: Node) -> Mapping[int, int]:
        """A node's resources by column. Raises ``ValueError`` naming node and field."""
        found: dict[int, int] = {}
        for name, written in (node.status.allocatable or {}).items():
            try:
                amount = milli_value(str(written)) if name == "cpu" else value(str(written))
            except ValueError as error:
                raise ValueError(f"node {node.metadata.name}: status.allocatable[{name}]: {error}") from None
            found[self.resource(name)] = min(amount, AMOUNT_MOST)
        return found

    def of(self, pod: Pod, policy: int) -> Placeless:
        """The shape of a pod under a policy. Raises ``ValueError`` when a quantity or a selector cannot be read."""
        spec = pod.spec
        own = spec.affinity.node_affinity if spec.affinity else None
        required, pin = _pinned(pod, own, spread=policy in self._spreading) if own else (None, None)
        key = (
            policy,
            tuple(pod_requests(pod).items()),
            nonzero_requests(pod),
            _scored(pod),
            tuple(spec.node_selector.items()) if spec.node_selector else None,
            required,
            own and own.preferred,
            spec.tolerations,
            self._images.of_pod(pod),
            required_features(pod),
        )
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._add(pod, policy, required)
            self._shapes[key] = shape
        return Placeless(shape, pin)

    def _add(self, pod: Pod, policy: int, required: NodeSelector | None) -> int:
        row, rules = len(self._shapes), self._policies[policy]
        bearing = Bearing(pod.spec.tolerations or (), required_features(pod), rules.disabled or _NO_DISABLED)
        program = self._program(pod, rules, required)
        requests, nonzero, scored = pod_requests(pod), nonzero_requests(pod), _scored(pod)
        columns = {self.resource(name): _bounded(amount) for name, amount in requests.items()}
        ignored = {self.resources[name] for name in requests if _is_ignored(name, rules)}
        self._arrays.ensure(shapes=row + 1)
        state = self._arrays.state
        for column, amount in columns.items():
            state.taken[row, column] = amount
            state.asked[row, column] = 0 if column in ignored or not rules.filters("NodeResourcesFit") else amount
        state.taken[row, PODS] = 1
        state.asked[row, PODS] = rules.filters("NodeResourcesFit")
        state.asked_nonzero[row] = [_bounded(amount) for amount in nonzero]
        state.scored[row] = [_bounded(amount) for amount in scored]
        state.shape_of[row, PROGRAM], state.shape_of[row, TOLERATION] = program, self._kinds.of_pod(bearing)
        state.shape_of[row, POLICY], state.shape_of[row, BOARD] = policy, -1
        self.bearings.append(bearing)
        return row

    def _program(self, pod: Pod, policy: Policy, required: NodeSelector | None) -> int:
        enforced: list[list[int]] = []
        groups: list[list[int]] = []
        weighted: list[int] = []
        preferred = 0
        added = policy.added_affinity
        if added and added.required and policy.filters("NodeAffinity"):
            enforced.append(self._group(added.required, f"profile {policy.name}: addedAffinity"))
        own = pod.spec.affinity.node_affinity if pod.spec.affinity else None
        if policy.filters("NodeAffinity"):
            groups = self._required(pod, required)
        for source, of in ((added, f"profile {policy.name}: addedAffinity"), (own, f"pod {pod.key}")):
            for term in (source.preferred or ()) if source else ():
                numbers = self._term(term.preference, of)
                if term.weight and numbers:
                    weighted += [term.weight, len(numbers), *numbers]
                    preferred += 1
        images, containers = self._images.of_pod(pod)
        header = [len(enforced), len(groups), preferred, len(images), containers]
        return self.program([*header, *images, *chain(*enforced), *chain(*groups), *weighted])

    def program(self, numbers: Sequence[int]) -> int:
        """Where that program is; the same one is written once."""
        key = tuple(numbers)
        if key not in self._known_programs:
            self._known_programs[key] = self._programs.write(key)
        return self._known_programs[key]

    def required_program(self, pod: Pod) -> int | None:
        """A program of the pod's own required node affinity and selector alone; ``None`` when it has none."""
        affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
        groups = self._required(pod, affinity.required if affinity else None)
        return self.program([0, len(groups), 0, 0, 0, *chain(*groups)]) if groups else None

    def tolerations_of(self, pod: Pod) -> int:
        """The row of the pod's tolerations alone."""
        return self._kinds.of_pod(Bearing(pod.spec.tolerations or (), frozenset(), frozenset()))

    def _required(self, pod: Pod, required: NodeSelector | None) -> list[list[int]]:
        groups = []
        of = f"pod {pod.key}"
        if pod.spec.node_selector:
            lines = [Requirement(key, "In", (value,)) for key, value in pod.spec.node_selector.items()]
            groups.append(_flat([self._term(NodeSelectorTerm(match_expressions=tuple(lines)), of)]))
        if required is not None:
            groups.append(self._group(required, of))
        return groups

    def _group(self, selector: NodeSelector, of: str) -> list[int]:
        """Terms of which one must hold. An invalid one never does; with no valid one beside it, it is an error."""
        terms, errors = [], []
        for term in selector.node_selector_terms or ():
            try:
                terms.append(self._term(term, of))
            except SelectorError as error:
                errors.append(error)
        if errors and not any(terms):
            raise errors[0]
        return _flat(terms)

    def _term(self, term: NodeSelectorTerm, of: str) -> list[int]:
        lines = [self._columns.requirement(line, field=False, of=of) for line in term.match_expressions or ()]
        return lines + [self._columns.requirement(line, field=True, of=of) for line in term.match_fields or ()]

    def _write_policy(self, row: int, policy: Policy) -> None:
        resources = [self.resource(r.name) for r in (*policy.fit.resources, *policy.balanced)]
        self._arrays.ensure(policies=row + 1, resources=max([SCALARS, *(r + 1 for r in resources)]))
        state = self._arrays.state
        for plugin, name in enumerate(SCORE_PLUGINS):
            state.weights[row, plugin] = policy.weights.get(name, 0)
        for resource in policy.fit.resources:
            state.fit_weights[row, self.resource(resource.name)] = resource.weight
        for resource in policy.balanced:
            state.balanced[row, self.resource(resource.name)] = 1
        state.strategy[row] = STRATEGIES.index(policy.fit.strategy), len(policy.fit.shape)
        for i, point in enumerate(policy.fit.shape):
            state.curve[row, i] = point.utilization, 10 * point.score


SCORE_PLUGINS = (
    "TaintToleration",
    "NodeAffinity",
    "NodeResourcesFit",
    "PodTopologySpread",
    "InterPodAffinity",
    "NodeResourcesBalancedAllocation",
    "ImageLocality",
)
"""In the order of the core's columns of weights."""

STRATEGIES = ("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio")


def _flat(terms: Iterable[Sequence[int]]) -> list[int]:
    terms = list(terms)
    return [len(terms), *(number for term in terms for number in (len(term), *term))]


def _pinned(pod: Pod, affinity: NodeAffinity, *, spread: bool) -> tuple[NodeSelector | None, str | None]:
    """The pod's required node affinity, less the name of the one node that it names, and that name.

    DaemonSets pin each pod in this way; without this every one of them would be a shape of its own. Where pods are
    ``spread`` the name decides which nodes count, and stays.
    """
    terms = affinity.required.node_selector_terms if affinity.required else None
    if terms and len(terms) == 1 and not spread and not pod.spec.topology_spread_constraints:
        fields = terms[0].match_fields or ()
        if len(fields) == 1 and fields[0].key == FIELD_NAME and fields[0].operator == "In":
            names = fields[0].values or ()
            if len(names) == 1:
                rest = terms[0].match_expressions
                return NodeSelector((NodeSelectorTerm(match_expressions=rest),)) if rest else None, names[0]
    return affinity.required, None


def has_fields(pod: Pod) -> bool:
    """Whether the pod's affinity asks for fields of nodes."""
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    terms = affinity.required.node_selector_terms if affinity and affinity.required else None
    return any(term.match_fields for term in terms or ())


def names_of(pod: Pod) -> frozenset[str] | None:
    """The only nodes that kube-scheduler looks at for the pod: those that its terms name, when all of them do."""
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    terms = affinity.required.node_selector_terms if affinity and affinity.required else None
    names: set[str] = set()
    for term in terms or ():
        named = [set(f.values or ()) for f in term.match_fields or () if (f.key, f.operator) == (FIELD_NAME, "In")]
        if not named:
            return None
        names |= set.intersection(*named)
    return frozenset(names) if terms else None


def _scored(pod: Pod) -> tuple[int, int]:
    """What NodeResourcesFit scores by: the containers' requests alone, not those at pod level, nor what a resized pod
    holds (fit.go sets no such option)."""
    resized = pod.spec.node_name and (pod.status.container_statuses or pod.status.init_container_statuses)
    if pod.spec.resources is None and not resized:
        return nonzero_requests(pod)
    spec = msgspec.structs.replace(pod.spec, resources=None, node_name="")
    return nonzero_requests(msgspec.structs.replace(pod, spec=spec))


def _bounded(amount: int) -> int:
    """What a pod asks, where no node has more than ``AMOUNT_MOST``."""
    return min(amount, AMOUNT_MOST + 1)


def _is_ignored(resource: str, policy: Policy) -> bool:
    """Only extended resources can be ignored (fit.go), whatever the configuration names."""
    if "/" not in resource or "kubernetes.io/" in resource:
        return False
    return resource in policy.ignored_resources or resource.split("/", 1)[0] in policy.ignored_resource_groups
