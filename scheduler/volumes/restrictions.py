"""VolumeRestrictions: claims that one pod alone may use, and in-tree disks that pods of a node may not share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain

from ..objects import Node, Pod
from ..objects.pod import DiskSource, Volume
from .population import Population, is_disk
from .stock import Stock
from .usage import ClaimKey, uses
from .verdict import RESTRICTIONS, Refused, hopeless

DISK_CONFLICT = Refused(RESTRICTIONS, ("node(s) had no available disk",), False)
IN_USE = Refused(
    RESTRICTIONS,
    (
        "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by "
        "another pod",
    ),
    False,
)


class Restrictions:
    """What one pod may not share with others."""

    def __init__(
        self, pod: Pod, population: Population, *, alone: Collection[ClaimKey], in_use: bool, without: Collection[str]
    ) -> None:
        """``alone`` are the claims that one pod only may use, ``in_use`` whether one of them has a user."""
        self._disks = [volume for volume in pod.spec.volumes or () if is_disk(volume)]
        self._population, self._alone, self._in_use, self._without = population, alone, in_use, without

    def __bool__(self) -> bool:
        return bool(self._disks) or self._in_use

    def at(self, node: Node, beside: Sequence[Pod] = ()) -> Refused | None:
        """Taking the other pod away resolves either conflict.

        A pod without disks, and with no claim that is in use, is not held against those who hold room: kube-scheduler
        skips the plugin then.
        """
        if self._disks:
            there = self._population.with_disks_on(node.metadata.name, without=self._without)
            for other in chain(there, beside):
                if any(conflict(mine, theirs) for mine in self._disks for theirs in other.spec.volumes or ()):
                    return DISK_CONFLICT
        taken = self._in_use or any(use.key in self._alone for other in beside for use in uses(other))
        return IN_USE if taken else None


def restrictions_of(
    pod: Pod, stock: Stock, population: Population, *, without: Collection[str] = ()
) -> Restrictions | Refused:
    """What the pod may not share; ``without`` are the UIDs of pods that are thought away.

    A claim for one pod counts once, however many use it, and each pod thought away takes one off, as in kube-scheduler.
    """
    conflicts, alone = 0, set[ClaimKey]()
    for use in uses(pod):
        if use.ephemeral:
            continue
        claim = stock.claims.get(use.key)
        if claim is None:
            return hopeless(RESTRICTIONS, f'persistentvolumeclaim "{use.key[1]}" not found')
        if "ReadWriteOncePod" in (claim.spec.access_modes or ()):
            alone.add(use.key)
            users = population.users(use.key)
            conflicts += bool(users) - sum(name in users for name in without)
    return Restrictions(pod, population, alone=alone, in_use=conflicts > 0, without=without)


def conflict(mine: Volume, theirs: Volume) -> bool:
    """Whether two volumes are the same disk and may not be mounted twice on a node."""
    return any(_clash(kind, _disk(mine, kind), _disk(theirs, kind)) for kind in ("gce", "ebs", "iscsi", "rbd"))


def _disk(volume: Volume, kind: str) -> DiskSource | None:
    match kind:
        case "gce":
            return volume.gce_persistent_disk
        case "ebs":
            return volume.aws_elastic_block_store
        case "iscsi":
            return volume.iscsi
        case _:
            return volume.rbd


def _clash(kind: str, a: DiskSource | None, b: DiskSource | None) -> bool:
    if a is None or b is None:
        return False
    both_read = a.read_only and b.read_only
    match kind:
        case "gce":
            return a.pd_name == b.pd_name and not both_read
        case "ebs":
            return a.volume_id == b.volume_id
        case "iscsi":
            return a.iqn == b.iqn and not both_read
        case _:
            same_monitor = not set(a.monitors or ()).isdisjoint(b.monitors or ())
            return same_monitor and (a.pool, a.image) == (b.pool, b.image) and not both_read
