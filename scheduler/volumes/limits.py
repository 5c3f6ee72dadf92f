"""NodeVolumeLimits: how many volumes a driver can attach to a node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from ..objects import Node, Pod
from . import migration
from .population import Population, pod_id
from .stock import Stock
from .usage import claim_class, is_made_for, uses
from .verdict import LIMITS, Refused

EXCEEDED = Refused(LIMITS, ("node(s) exceed max volume count",), False)

Attachments = dict[str, str]
"""Unique names of volumes, and the driver of each."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What a node holds: the volumes of its pods, and with the attached ones the count per driver."""

    by_pods: Attachments
    counts: Mapping[str, int]


class Attaching:
    """The count of attached volumes per node, kept until something that it came from changes."""

    def __init__(self, stock: Stock, population: Population) -> None:
        self._stock, self._population = stock, population
        self._known: dict[str, Attached] = {}

    def forget(self, nodes: Iterable[str] | None = None) -> None:
        """Count anew: on these nodes, or on all."""
        if nodes is None:
            self._known.clear()
        for node in nodes or ():
            self._known.pop(node, None)

    def on(self, node: str, *, without: Collection[str] = (), beside: Sequence[Pod] = ()) -> Attached:
        """With the pods ``beside`` there too, and without those of these UIDs."""
        if beside or (without and any(pod_id(pod) in without for pod in self._population.on(node))):
            return self._count(node, without, beside)
        if node not in self._known:
            self._known[node] = self._count(node, (), ())
        return self._known[node]

    def _count(self, node: str, without: Collection[str], beside: Sequence[Pod]) -> Attached:
        by_pods: Attachments = {}
        for pod in chain(self._population.on(node, without=without), beside):
            by_pods |= volumes_of(pod, self._stock, migrated=node in self._stock.csi_nodes)
        return Attached(by_pods, Counter((self._attached(node) | by_pods).values()))

    def _attached(self, node: str) -> Attachments:
        """What the attachments say; they count on until the volume is detached, whoever used it."""
        found: Attachments = {}
        for attachment in self._stock.attached.get(node, {}).values():
            volume = self._stock.volumes.get(attachment.spec.source.persistent_volume_name or "")
            if attachment.spec.attacher and volume is not None and volume.spec.csi is not None:
                found[f"{attachment.spec.attacher}/{volume.spec.csi.volume_handle}"] = attachment.spec.attacher
        return found


class Limits:
    """One pod's volumes, as far as drivers have to attach them."""

    def __init__(self, pod: Pod, stock: Stock, attaching: Attaching, *, without: Collection[str] = ()) -> None:
        self._stock, self._attaching, self._without = stock, attaching, without
        self._new = {migrated: volumes_of(pod, stock, migrated=migrated) for migrated in (False, True)}
        self._needed = {
            migrated: sorted({driver for driver in new.values() if _keeps_away(driver, stock)})
            for migrated, new in self._new.items()
        }

    def __bool__(self) -> bool:
        return any(self._new.values())

    def at(self, node: Node, beside: Sequence[Pod] = ()) -> Refused | None:
        """Whether the node has the drivers, where they insist, and room for the volumes."""
        name = node.metadata.name
        migrated = name in self._stock.csi_nodes
        new, limits = self._new[migrated], self._stock.limits.get(name, {})
        for driver in self._needed[migrated]:
            if driver not in self._stock.installed.get(name, ()):
                return _not_installed(driver)
        if not limits or not any(driver in limits for driver in new.values()):
            return None
        attached = self._attaching.on(name, without=self._without, beside=beside)
        more = Counter(driver for volume, driver in new.items() if volume not in attached.by_pods)
        if any(attached.counts.get(d, 0) + count > limits[d] for d, count in more.items() if d in limits):
            return EXCEEDED
        return None


def volumes_of(pod: Pod, stock: Stock, *, migrated: bool) -> Attachments:
    """The pod's volumes that a driver attaches; ``migrated`` says that the node has a CSINode object.

    A claim that has no volume yet counts by its class, under a name that no volume has. One that is missing, or is
    another pod's, does not count.
    """
    found: Attachments = {}
    for use in uses(pod):
        claim = stock.claims.get(use.key)
        if claim is None or (use.ephemeral and not is_made_for(claim, pod)):
            continue
        volume = stock.volumes.get(claim.spec.volume_name) if claim.spec.volume_name else None
        if volume is not None:
            driver, handle = migration.persistent(volume, migrated=migrated)
        else:
            storage_class = stock.classes.get(claim_class(claim))
            driver = migration.driver_of(storage_class.provisioner, migrated=migrated) if storage_class else ""
            handle = f"\0{'/'.join(use.key)}"
        if driver and handle:
            found[f"{driver}/{handle}"] = driver
    for inline in pod.spec.volumes or () if migrated else ():
        driver, handle = migration.inline(inline)
        if driver:
            found[f"{driver}/{handle}"] = driver
    return found


def _keeps_away(driver: str, stock: Stock) -> bool:
    """Whether the driver wants no pod on nodes without it (CSIDriver.spec.preventPodSchedulingIfMissing)."""
    known = stock.drivers.get(driver)
    return known is not None and bool(known.spec.prevent_pod_scheduling_if_missing)


@lru_cache(maxsize=64)
def _not_installed(driver: str) -> Refused:
    return Refused(LIMITS, (f"{driver} CSI driver is not installed on the node",), False)
