"""The engine: told of objects, asked for decisions. See :class:`~idcbench.scheduler.decisions.Engine`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import cast

import numpy as np
from msgspec import Struct

from ..claims import DeviceClasses, reason_to_decline
from ..core.deciding import ANY
from ..core.state import CLASS, LOGGED, NODE, POD_FLAGS, TERMINATING
from ..decisions import ClaimStep, Decision, Explanation, NoPreemption, Placed, Preemption, Resource, Unplaced
from ..objects import DeviceClass, DisruptionBudget, Namespace, Node, Pod
from ..policy import Policy
from ..volumes import VolumeIndex
from .arrays import Arrays, as_rows
from .budgets import Budgets
from .classes import Classes
from .columns import Columns
from .controllers import KINDS, Controllers
from .diagnosis import (
    TOTAL,
    Evaluation,
    ranking,
    refusals,
    resolvable,
)
from .evaluator import Ask, Evaluator
from .evictions import Evictions
from .images import Images
from .kinds import Kinds
from .nominations import Nominations
from .readable import readable
from .seats import NodeRows, Seats
from .shapes import Shapes

_log = logging.getLogger(__name__)
_VOLUMES = frozenset(
    (
        "persistentvolumes",
        "persistentvolumeclaims",
        "storageclasses",
        "csinodes",
        "csidrivers",
        "csistoragecapacities",
        "volumeattachments",
    )
)
UNUSED_MOST = 4096
"""Classes that no pod has any more, beyond those in use, before all is put up anew."""


class ClusterEngine:
    """Decides on the arrays of the core. Not for several threads.

    ``policies`` are the profiles, by ``spec.schedulerName``; a pod of another name counts under the first. ``seed``
    settles how ties are broken; ``boards`` how many shapes are remembered at a time.
    """

    def __init__(self, policies: Sequence[Policy] = (Policy(),), *, seed: int = 0, boards: int = 256) -> None:
        self._policies = tuple(policies)
        self._by_name = {policy.name: i for i, policy in reversed(list(enumerate(self._policies)))}
        self._seed, self._boards = seed, boards
        self._namespaces: dict[str, dict[str, str]] = {}
        self._controllers = Controllers()
        self._volumes = VolumeIndex()
        self._budgets = Budgets()
        self._random = np.random.default_rng(seed)
        self._devices = DeviceClasses()
        self._begin()

    def _begin(self) -> None:
        self._arrays = Arrays(seed=self._seed, boards=self._boards)
        self._nodes = NodeRows(self._arrays)
        self._seats = Seats(self._arrays)
        self._columns = Columns(self._arrays, self._nodes.labels)
        self._kinds = Kinds(self._arrays)
        self._images = Images(self._arrays, self._nodes.objects)
        self._shapes = Shapes(self._arrays, self._columns, self._kinds, self._images, self._policies)
        self._classes = Classes(
            self._arrays, self._columns, self._shapes, self._policies, self._namespaces, self._controllers.selector_of
        )
        self._held = Nominations(self._arrays)
        self._evaluator = Evaluator(self._arrays, self._nodes, self._held, self._volumes, self._policies)
        self._evictions = Evictions(
            self._arrays, self._nodes, self._seats, self._held, self._volumes, self._budgets, self._classes,
            self._shapes, self._evaluator,
        )  # fmt: skip
        self._known_failure: tuple[tuple[int, int], Unplaced] | None = None

    # what is there

    def set(self, resource: Resource, obj: Struct) -> None:
        """See ``Engine.set``. An object that cannot be understood is logged with its name, and does not count."""
        try:
            if resource == "pods":
                self._set_pod(cast(Pod, obj))
            elif resource == "nodes":
                self._set_node(cast(Node, obj))
            elif resource == "namespaces":
                self._set_namespace(cast(Namespace, obj))
            elif resource == "poddisruptionbudgets":
                self._budgets.set(cast(DisruptionBudget, obj))
            elif resource in KINDS:
                self._controllers.set(resource, obj)
            elif resource in _VOLUMES:
                self._volumes.set(resource, obj)
            elif resource == "deviceclasses":
                self._devices.set(cast(DeviceClass, obj))
        except ValueError as error:
            _log.warning("ignored: %s", error)

    def remove(self, resource: Resource, obj: Struct) -> None:
        """See ``Engine.remove``."""
        if resource == "pods":
            self._remove_pod(cast(Pod, obj))
        elif resource == "nodes":
            self._remove_node(cast(Node, obj).metadata.name)
        elif resource == "namespaces":
            self._namespaces.pop(cast(Namespace, obj).metadata.name, None)
        elif resource == "poddisruptionbudgets":
            self._budgets.remove(cast(DisruptionBudget, obj))
        elif resource in KINDS:
            self._controllers.remove(resource, obj)
        elif resource in _VOLUMES:
            self._volumes.remove(resource, obj)
        elif resource == "deviceclasses":
            self._devices.remove(cast(DeviceClass, obj))

    def _set_namespace(self, namespace: Namespace) -> None:
        name, labels = namespace.metadata.name, namespace.metadata.labels or {}
        changed = self._namespaces.get(name, {}) != labels
        self._namespaces[name] = labels
        if changed and self._classes.looks_at(name):
            self._put_up_anew()

    def _set_node(self, node: Node) -> None:
        allocatable = self._shapes.allocatable(node)
        row = self._nodes.row_of(node.metadata.name)
        old = self._nodes.objects.get(row)
        if old is not None and _same_to_us(old, node):
            self._nodes.objects[row] = node
            return
        kernels = self._arrays.kernels
        kernels.detach(self._arrays.state, row)
        self._nodes.put(row, node, self._columns)
        kind = self._kinds.of_node(node)
        spread_of_images = self._images.fill(row, node)
        state = self._arrays.state
        state.alloc[row] = 0
        for column, amount in allocatable.items():
            state.alloc[row, column] = amount
        state.node_kind[row] = kind
        kernels.attach(state, row)
        if spread_of_images or (old is None and state.image_nodes.any()):
            self._forget_boards()

    def _remove_node(self, name: str) -> None:
        row = self._nodes.row.get(name)
        if row is None:
            return
        self._arrays.kernels.detach(self._arrays.state, row)
        spread_of_images = self._images.fill(row, None)
        self._nodes.drop(row, self._columns)
        self._arrays.kernels.attach(self._arrays.state, row)
        self._nodes.release(row)
        if spread_of_images or self._arrays.state.image_nodes.any():
            self._forget_boards()

    def _forget_boards(self) -> None:
        """Image scores depend on how many nodes there are and hold an image: they changed everywhere."""
        self._arrays.state.board_shape[:] = -1
        self._arrays.state.shape_of[:, 3] = -1

    def _set_pod(self, pod: Pod) -> None:
        if not pod.spec.node_name or pod.over:
            self._remove_pod(pod)
            return
        seat = self._seats.by_uid.get(pod.metadata.uid)
        ask = self._understand_placed(pod)
        if seat is not None:
            state = self._arrays.state
            same = (
                seat.node == pod.spec.node_name
                and state.pod[seat.row, CLASS] == ask.number
                and bool(state.pod[seat.row, POD_FLAGS] & TERMINATING) == bool(pod.metadata.deletion_timestamp)
                and seat.pod.priority == pod.priority
            )
            if same:
                self._seats.update(seat, pod)
                self._volumes.add_pod(pod, pod.spec.node_name)  # its claims may have become others
                return
            self._unseat(seat.row, moves=seat.node == pod.spec.node_name)
        row = self._seats.row_for(pod)
        node = self._nodes.row_of(pod.spec.node_name)
        self._arrays.kernels.put(self._arrays.state, row, ask.number, node)
        self._seats.keep(row, pod, pod.spec.node_name, assumed=False)
        self._held.drop(pod)
        self._volumes.add_pod(pod, pod.spec.node_name)

    def _remove_pod(self, pod: Pod) -> None:
        self._held.drop(pod)
        seat = self._seats.by_uid.get(pod.metadata.uid)
        if seat is not None:
            self._unseat(seat.row)

    def _unseat(self, row: int, *, moves: bool = False) -> None:
        """Take a pod off its node; one that ``moves`` within it keeps what its volumes were promised."""
        seat = self._seats.by_row[row]
        node = int(self._arrays.state.pod[row, NODE])
        self._arrays.kernels.take(self._arrays.state, row)
        if not moves:
            self._volumes.remove_pod(seat.pod)
        self._seats.free(row)
        self._nodes.release(node)

    def _put_up_anew(self) -> None:
        """Build all arrays again from the objects: when meanings changed, or too much of them is of pods long gone."""
        nodes = list(self._nodes.objects.values())
        seats = list(self._seats.by_uid.values())
        held = self._held.pods()
        self._begin()
        for node in nodes:
            self._set_node(node)
        for seat in seats:
            ask = self._understand_placed(seat.pod)
            row = self._seats.row_for(seat.pod)
            self._arrays.kernels.put(self._arrays.state, row, ask.number, self._nodes.row_of(seat.node))
            self._seats.keep(row, seat.pod, seat.node, assumed=seat.assumed)
        for pod, name in held:
            self.nominate(pod, name)

    # decisions

    def decide(self, pods: Sequence[Pod]) -> list[Decision]:
        """See ``Engine.decide``."""
        if len(self._classes) > UNUSED_MOST + 2 * len(self._seats.by_uid) + len(pods):
            self._put_up_anew()
        answers: list[Decision] = []
        batch: list[Ask] = []
        for pod in pods:
            try:
                declined = self._reason_to_decline(pod)
                ask = self._understand(pod) if declined is None else None
            except ValueError as error:
                declined, ask = str(error), None
            if ask is not None and not self._looks_alone(pod):
                batch.append(ask)
                continue
            answers += self._place(batch)
            batch = []
            answers.append(self._decide_alone(ask) if ask else self._decline(pod, declined or ""))
        return answers + self._place(batch)

    def decide_gang(self, pods: Sequence[Pod], *, least: int) -> list[Decision]:
        """See ``Engine.decide_gang``."""
        answers = self.decide(pods)
        placed = [answer for answer in answers if isinstance(answer, Placed)]
        if len(placed) >= least:
            return answers
        for answer in placed:
            self.forget(answer.pod)
        failed = next((answer for answer in answers if isinstance(answer, Unplaced)), None)
        return [
            answer
            if isinstance(answer, Unplaced)
            else Unplaced(
                answer.pod,
                len(self._nodes.objects),
                failed.reasons if failed else (),
                failed.plugins if failed else frozenset(),
                resolvable=False,
            )
            for answer in answers
        ]

    def forget(self, pod: Pod) -> None:
        """See ``Engine.forget``."""
        seat = self._seats.by_uid.get(pod.metadata.uid)
        if seat is not None and seat.assumed:
            self._unseat(seat.row)

    def nominate(self, pod: Pod, node: str | None) -> None:
        """See ``Engine.nominate``."""
        self._held.drop(pod)
        if node is not None and node in self._nodes.row:
            try:
                self._held.hold(pod, self._understand_placed(pod).number, node, self._nodes.row[node])
            except ValueError as error:
                _log.warning("no room held: %s", error)

    def preempt(self, pod: Pod) -> Preemption | NoPreemption:
        """See ``Engine.preempt``."""
        if pod.spec.preemption_policy == "Never":
            return NoPreemption("not eligible due to preemptionPolicy=Never.")
        try:
            ask = self._understand(pod)
        except ValueError as error:
            return NoPreemption(str(error))
        if not self._policies[self._policy(pod)].preempts:
            return NoPreemption("not eligible: the profile has DefaultPreemption disabled.")
        return self._evictions.find(ask)

    def explain(self, pod: Pod) -> Explanation:
        """See ``Engine.explain``."""
        count = len(self._nodes.objects)
        try:
            declined = self._reason_to_decline(pod)
            ask = self._understand(pod) if declined is None else None
        except ValueError as error:
            declined, ask = str(error), None
        if ask is None:
            return Explanation(pod.key, count, (), (), declined=declined)
        seat = self._seats.by_uid.get(pod.metadata.uid)
        found = self._evaluator.evaluate(ask)
        state, names = self._arrays.state, self._nodes.names
        return Explanation(
            pod.key,
            count,
            tuple(refusals(state, found, self._shapes.resources, names)),
            ranking(state, found, names),
            chosen=seat.node if seat else None,
            barred=", ".join(found.barred.reasons) if found.barred else None,
        )

    def feasible(self, pod: Pod) -> frozenset[str]:
        """The nodes that pass every filter for the pod now."""
        found = self._evaluator.evaluate(self._understand(pod))
        return frozenset(self._nodes.names[row] for row in found.nodes)

    # how

    def _policy(self, pod: Pod) -> int:
        return self._by_name.get(pod.spec.scheduler_name, 0)

    def _reason_to_decline(self, pod: Pod) -> str | None:
        return reason_to_decline(pod, classes=self._devices, offered=self._offered)

    def _offered(self, resource: str) -> bool:
        """Whether some node has the resource by itself, so that no device has to stand for it."""
        column = self._shapes.resources.get(resource)
        return column is not None and bool(self._arrays.state.alloc[:, column].any())

    def _understand(self, pod: Pod) -> Ask:
        policy = self._policy(pod)
        shape, pin = self._shapes.of(pod, policy)
        number = self._classes.of(pod, shape, policy)
        named = bool(pod.spec.node_name) and pod.metadata.uid not in self._seats.by_uid
        if named:
            pin = pod.spec.node_name if pin in (None, pod.spec.node_name) else ""
        return Ask(pod, number, ANY if pin is None else self._nodes.row.get(pin, -1), named)

    def _understand_placed(self, pod: Pod) -> Ask:
        """A pod that has its node counts, whatever of its affinity cannot be read."""
        try:
            return self._understand(pod)
        except ValueError as error:
            _log.warning("counted without the affinity that cannot be read: %s", error)
            return self._understand(readable(pod))

    def _place(self, batch: Sequence[Ask]) -> list[Decision]:
        if not batch:
            return []
        rows = [self._seats.row_for(ask.pod) for ask in batch]
        chosen = np.empty(len(batch), np.int32)
        classes, pins = as_rows([ask.number for ask in batch]), as_rows([ask.pin for ask in batch])
        state = self._arrays.state
        out = np.empty((12, state.node_on.shape[0]), np.int32)
        self._arrays.kernels.place(state, classes, as_rows(rows), pins, out, chosen)
        answers: list[Decision] = []
        for ask, row, node in zip(batch, rows, chosen.tolist(), strict=True):
            if node < 0:
                self._seats.free(row)
                answers.append(self._unplaced(ask))
            else:
                name = self._nodes.names[node]
                self._seats.keep(row, ask.pod, name, assumed=True)
                answers.append(Placed(ask.pod, name, len(self._nodes.objects)))
        return answers

    def _looks_alone(self, pod: Pod) -> bool:
        return bool(self._held) or bool(pod.status.nominated_node_name) or self._volumes.concerns(pod)

    def _decide_alone(self, ask: Ask) -> Decision:
        """For a pod with volumes, or while room is held for pods: nodes are looked at one by one first."""
        found = self._evaluator.evaluate(ask)
        if not len(found.nodes):
            return self._unplaced(ask, found)
        row_of_node = self._choose(ask, found)
        node = self._nodes.names[row_of_node]
        row = self._seats.row_for(ask.pod)
        self._arrays.kernels.put(self._arrays.state, row, ask.number, row_of_node)
        self._seats.keep(row, ask.pod, node, assumed=True)
        self._held.drop(ask.pod)
        before: tuple[ClaimStep, ...] = ()
        if self._volumes.concerns(ask.pod):
            self._volumes.add_pod(ask.pod, node)
            before = self._volumes.reserve(ask.pod, self._nodes.objects[row_of_node])
        return Placed(ask.pod, node, len(self._nodes.objects), before)

    def _choose(self, ask: Ask, found: Evaluation) -> int:
        """The row of the node that was made free for the pod, if that will do; else one of the best."""
        freed = self._nodes.row.get(self._held.node_of(ask.pod) or "")
        if freed is not None and freed in found.nodes:
            return freed
        totals = found.out[TOTAL, : len(found.nodes)]
        return int(found.nodes[self._random.choice(np.flatnonzero(totals == totals.max()))])

    def _unplaced(self, ask: Ask, found: Evaluation | None = None) -> Unplaced:
        key = (ask.number, int(self._arrays.state.cursor[LOGGED]))
        if found is None and ask.pin == ANY and self._known_failure and self._known_failure[0] == key:
            known = self._known_failure[1]
            return Unplaced(ask.pod, known.nodes, known.reasons, known.plugins, known.resolvable)
        found = found or self._evaluator.evaluate(ask)
        state = self._arrays.state
        refused = refusals(state, found, self._shapes.resources, self._nodes.names)
        barred = found.barred
        answer = Unplaced(
            ask.pod,
            len(self._nodes.objects),
            tuple((refusal.reason, refusal.nodes) for refusal in refused),
            frozenset((barred.plugin,)) if barred else frozenset(refusal.plugin for refusal in refused),
            resolvable(state, found),
            barred=", ".join(barred.reasons) if barred else None,
        )
        if ask.pin == ANY and not self._held:
            self._known_failure = key, answer
        return answer

    def _decline(self, pod: Pod, reason: str) -> Unplaced:
        return Unplaced(pod, len(self._nodes.objects), resolvable=False, declined=reason)


def _same_to_us(old: Node, new: Node) -> bool:
    """Whether only what placement does not look at has changed: heartbeats, mostly."""
    return (
        old.metadata.labels == new.metadata.labels
        and old.spec == new.spec
        and old.status.allocatable == new.status.allocatable
        and old.status.images == new.status.images
        and old.status.declared_features == new.status.declared_features
    )
