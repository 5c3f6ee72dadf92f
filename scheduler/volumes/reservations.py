"""What placed pods were promised and the API does not show yet: volumes for claims, and nodes for claims."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..decisions import ClaimStep
from ..objects import PersistentVolume, PersistentVolumeClaim, Pod
from .usage import SELECTED_NODE, ClaimKey, key_of


@dataclass(slots=True)
class _Promise:
    """Held until none of the pods holds it, or the claim is bound."""

    claim: ClaimKey
    node: str
    volume: str | None
    pods: set[str] = field(default_factory=set)

    def agrees(self, node: str, volume: str | None) -> bool:
        """A volume may serve pods on several nodes; one that is still to be made is made for one node."""
        return self.volume == volume and (volume is not None or self.node == node)


class Reservations:
    """One promise per claim, shared by the pods that use the claim."""

    def __init__(self) -> None:
        self._of_claim: dict[ClaimKey, _Promise] = {}
        self._of_volume: dict[str, _Promise] = {}

    def hold(self, pod: Pod, node: str, steps: Iterable[ClaimStep]) -> None:
        for step in steps:
            key = (step.namespace, step.claim)
            promise = self._of_claim.get(key)
            if promise is None or not promise.agrees(node, step.volume):
                self.settle(key)
                promise = self._of_claim[key] = _Promise(key, node, step.volume)
                if step.volume is not None:
                    self._of_volume[step.volume] = promise
            promise.pods.add(_key(pod))

    def release(self, pod: Pod) -> None:
        """The pod gives up what it was promised; what other pods share stays. Unknown pods are no error."""
        name = _key(pod)
        for promise in [promise for promise in self._of_claim.values() if name in promise.pods]:
            promise.pods.discard(name)
            if not promise.pods:
                self.settle(promise.claim)

    def settle(self, claim: ClaimKey) -> None:
        """The claim is bound or gone: the API says all there is to say."""
        promise = self._of_claim.pop(claim, None)
        if promise is not None and promise.volume is not None:
            self._of_volume.pop(promise.volume, None)

    def selected_node(self, claim: PersistentVolumeClaim) -> str | None:
        """The node for which the claim's volume is being made, if it is."""
        promise = self._of_claim.get(key_of(claim))
        if promise is not None and promise.volume is None:
            return promise.node
        return (claim.metadata.annotations or {}).get(SELECTED_NODE)

    def is_taken(self, volume: PersistentVolume) -> bool:
        """Whether the volume is for some claim, this or another."""
        return volume.spec.claim_ref is not None or volume.metadata.name in self._of_volume

    def is_for(self, volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
        """Whether the volume is for this claim: promised, or so written by the user or the controller."""
        promise = self._of_volume.get(volume.metadata.name)
        if promise is not None:
            return promise.claim == key_of(claim)
        ref = volume.spec.claim_ref
        if ref is None or (ref.namespace, ref.name) != key_of(claim):
            return False
        return not ref.uid or ref.uid == claim.metadata.uid


def _key(pod: Pod) -> str:
    return pod.metadata.uid or pod.key
