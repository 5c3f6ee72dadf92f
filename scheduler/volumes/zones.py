"""VolumeZone: a bound volume's zone and region labels have to fit the node's."""

from __future__ import annotations

from ..objects import Node, PersistentVolume, Pod
from .stock import Stock
from .usage import claim_class, uses
from .verdict import ZONE, Refused, hopeless

CONFLICT = Refused(ZONE, ("node(s) had no available volume zone",), True)
_STABLE = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region": "topology.kubernetes.io/region",
}
"""The labels that count, and the name under which a node may have them as well."""
_DELIMITER = "__"


class Zones:
    """Where the volumes of one pod are."""

    def __init__(self, places: list[tuple[str, frozenset[str]]]) -> None:
        self._places = places

    def __bool__(self) -> bool:
        return bool(self._places)

    def at(self, node: Node) -> Refused | None:
        """A node without any of the labels takes every volume: the cluster has but one zone."""
        labels = node.metadata.labels or {}
        if not any(key in labels for key in _STABLE):
            return None
        for key, zones in self._places:
            if labels.get(key, labels.get(_STABLE[key])) not in zones:
                return CONFLICT
        return None


def zones_of(pod: Pod, stock: Stock) -> Zones | Refused:
    """Where the pod's bound volumes are. The claims of ephemeral volumes are not looked at, as in kube-scheduler."""
    places: list[tuple[str, frozenset[str]]] = []
    for use in uses(pod):
        if use.ephemeral:
            continue
        name = use.key[1]
        if not name:
            return hopeless(ZONE, "PersistentVolumeClaim had no name")
        claim = stock.claims.get(use.key)
        if claim is None:
            return hopeless(ZONE, f'persistentvolumeclaim "{name}" not found')
        if not claim.spec.volume_name:
            if reason := _unbound(claim_class(claim), stock):
                return hopeless(ZONE, reason)
            continue
        volume = stock.volumes.get(claim.spec.volume_name)
        if volume is None:
            return hopeless(ZONE, f'persistentvolume "{claim.spec.volume_name}" not found')
        places += _places(volume)
    return Zones(places)


def _unbound(name: str, stock: Stock) -> str:
    """What is wrong with a claim of this class that has no volume yet, if anything."""
    if not name:
        return "PersistentVolumeClaim had no pv name and storageClass name"
    storage_class = stock.classes.get(name)
    if storage_class is None:
        return f'storageclass.storage.k8s.io "{name}" not found'
    if storage_class.volume_binding_mode is None:
        return f'VolumeBindingMode not set for StorageClass "{name}"'
    return "" if storage_class.volume_binding_mode == "WaitForFirstConsumer" else "PersistentVolume had no name"


def _places(volume: PersistentVolume) -> list[tuple[str, frozenset[str]]]:
    """The volume's labels that count; one with an empty zone among its several is passed over."""
    labels = volume.metadata.labels or {}
    split = {key: [zone.strip() for zone in labels[key].split(_DELIMITER)] for key in _STABLE if key in labels}
    return [(key, frozenset(zones)) for key, zones in split.items() if all(zones)]
