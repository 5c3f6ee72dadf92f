"""A pod on every node: the core's verdict, with volumes, those who hold room, and the nodes that the pod names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.deciding import ANY
from ..core.state import BY_VOLUMES, POLICY, U8
from ..objects import Pod
from ..policy import Policy
from ..volumes import VolumeIndex, VolumeVerdict
from .arrays import Arrays
from .diagnosis import BY_NAME, BY_PIN, BY_PIN_AND_NAME, NOWHERE, TOTAL, Evaluation
from .nominations import Nominations
from .seats import NodeRows
from .shapes import has_fields, names_of

NO_VETO = np.zeros(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Ask:
    """A pod understood: its class, and the row of the only node it may have (or ANY) by which plugin."""

    pod: Pod
    number: int
    pin: int
    named: bool = False
    """Whether ``spec.nodeName`` pins it, and not its affinity."""


class Evaluator:
    """Looks at nodes one by one; nothing is changed."""

    def __init__(
        self, arrays: Arrays, nodes: NodeRows, held: Nominations, volumes: VolumeIndex, policies: Sequence[Policy]
    ) -> None:
        self._arrays, self._nodes, self._held = arrays, nodes, held
        self._volumes, self._policies = volumes, policies

    def evaluate(self, ask: Ask) -> Evaluation:
        """Why each node is refused, and the scores of the others."""
        state = self._arrays.state
        size = state.node_on.shape[0]
        veto, verdict = self.volume_veto(ask)
        with_held = np.zeros(size if self._held else 0, np.uint8)
        used = state.used
        if self._held:
            with self._held.without(ask.pod):
                self._arrays.kernels.hold_back(state, ask.number, ask.pod.priority, with_held)
                used = self._held.used(ask.pod.priority)
            if verdict is not None:
                with_held[(with_held > BY_VOLUMES) & (veto > 0)] = BY_VOLUMES  # they are asked before those
            veto = with_held | veto if len(veto) else with_held
        if ask.pin != ANY:
            veto = self.veto_but(ask.pin, veto)
        out, reasons = np.zeros((12, size), np.int32), np.zeros(size, np.int32)
        feasible = self._arrays.kernels.evaluate(state, ask.number, veto, out, reasons)
        if len(with_held):
            reasons[with_held > 0] = with_held[with_held > 0]  # as upstream: first with those who hold room
        shape = int(state.class_shape[ask.number])
        nodes = state.list_n[:feasible].copy()
        found = Evaluation(shape, int(state.shape_of[shape, POLICY]), reasons, nodes, out, used)
        return self._refine(ask, found, verdict)

    def volume_veto(self, ask: Ask) -> tuple[U8, VolumeVerdict | None]:
        """1 for each row whose node the pod's volumes forbid; without volumes nothing."""
        if not self._volumes.concerns(ask.pod):
            return NO_VETO, None
        nodes = list(self._nodes.objects.values())
        verdict = self._volumes.evaluate(ask.pod, nodes, beside=self._held.beside(ask.pod))
        veto = np.zeros(self._arrays.state.node_on.shape[0], np.uint8)
        for at, row in enumerate(self._nodes.objects):
            veto[row] = verdict.refused is not None or verdict.nodes[at] is not None
        return veto, verdict

    def veto_but(self, pin: int, veto: U8) -> U8:
        """The same, and every row but ``pin``."""
        only = np.ones(self._arrays.state.node_on.shape[0], np.uint8)
        if pin >= 0:
            only[pin] = veto[pin] if len(veto) else 0
        return only

    def _refine(self, ask: Ask, found: Evaluation, verdict: VolumeVerdict | None) -> Evaluation:
        """Say of the nodes that the pod does not name that it does not, and add what its volumes say."""
        narrowed = names_of(ask.pod) if ask.pin != ANY or has_fields(ask.pod) else None
        by_name = frozenset((ask.pod.spec.node_name,)) if ask.named else None
        if narrowed is not None or by_name is not None:
            both = narrowed is not None and by_name is not None
            allowed = (narrowed or by_name or frozenset()) & (by_name or narrowed or frozenset())
            code = BY_PIN_AND_NAME if both else BY_NAME if by_name is not None else BY_PIN
            found.reasons[[row for row in self._nodes.objects if self._nodes.names[row] not in allowed]] = code
            if both and not allowed:
                return replace(found, barred=NOWHERE)
        if verdict is None:
            return found
        if verdict.refused is not None:
            return replace(found, barred=verdict.refused)
        by_row = dict(zip(self._nodes.objects, verdict.nodes, strict=True))
        volumes = {row: why for row, why in by_row.items() if why is not None and found.reasons[row] == BY_VOLUMES}
        weight = self._policies[found.policy].volume_weight
        if verdict.scores is None or not weight:
            return replace(found, volumes=volumes)
        score = dict(zip(self._nodes.objects, verdict.scores, strict=True))
        found.out[TOTAL, : len(found.nodes)] += np.array(
            [weight * score[row] for row in found.nodes.tolist()], np.int32
        )
        return replace(found, volumes=volumes, volume_scores=score, volume_weight=weight)
