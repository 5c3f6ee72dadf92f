"""Whether a node's storage can be made for a claim: the class's topologies and what drivers say they have left."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from ..objects import CSIStorageCapacity, PersistentVolumeClaim, StorageClass
from ..selectors import Labels
from .matching import claim_size
from .stock import Stock
from .usage import claim_class

NO_PROVISIONER = "kubernetes.io/no-provisioner"


class Lack(Enum):
    """Why no volume can be made."""

    WAY = auto()
    """The class makes none, or not there."""
    SPACE = auto()


class Provision(NamedTuple):
    """A volume of ``size`` bytes that will be made; ``capacity`` is what the driver told, if it tells."""

    claim: PersistentVolumeClaim
    size: int
    capacity: CSIStorageCapacity | None


class Provisioner:
    """What making a volume for one claim depends on, beside the node."""

    def __init__(self, claim: PersistentVolumeClaim, stock: Stock) -> None:
        """Raises ``ValueError`` when the claim's size cannot be read; its class must be there."""
        name = claim_class(claim)
        self._class = stock.classes[name]
        self._claim, self._size = claim, claim_size(claim)
        driver = stock.drivers.get(self._class.provisioner)
        tells = driver is not None and bool(driver.spec.storage_capacity)
        asks = "storage" in (claim.spec.resources.requests or {})
        self._capacities = stock.capacities(name) if tells and asks else None

    def at(self, labels: Labels) -> Provision | Lack:
        if self._class.provisioner in ("", NO_PROVISIONER) or not _allowed(self._class, labels):
            return Lack.WAY
        if self._capacities is None:
            return Provision(self._claim, self._size, None)
        for largest, capacity in self._capacities.at(labels):
            if largest >= self._size:
                return Provision(self._claim, self._size, capacity)
        return Lack.SPACE


def _allowed(storage_class: StorageClass, labels: Labels) -> bool:
    """Whether one of the topologies holds; none at all is no restriction, an empty one holds nowhere."""
    terms = storage_class.allowed_topologies
    if not terms:
        return True
    return any(
        term.match_label_expressions
        and all(labels.get(line.key) in (line.values or ()) for line in term.match_label_expressions)
        for term in terms
    )
