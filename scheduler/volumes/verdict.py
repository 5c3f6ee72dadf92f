"""What the volume filters answer, in the words of kube-scheduler 1.37."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BINDING = "VolumeBinding"
ZONE = "VolumeZone"
RESTRICTIONS = "VolumeRestrictions"
LIMITS = "NodeVolumeLimits"


@dataclass(frozen=True, slots=True)
class Refused:
    """A plugin's no. Each of the ``reasons`` is counted once per node.

    ``unresolvable`` says that taking pods away from the node would not help.
    """

    plugin: str
    reasons: tuple[str, ...]
    unresolvable: bool


@dataclass(frozen=True, slots=True)
class VolumeVerdict:
    """Either ``refused``, which holds for every node alike, or an entry per node in the order they were given.

    ``scores`` are those of the plugin VolumeBinding (0–100, weight 1, not normalised), ``None`` when all are zero.
    """

    refused: Refused | None
    nodes: Sequence[Refused | None] = ()
    scores: Sequence[int] | None = None


def hopeless(plugin: str, reason: str) -> Refused:
    """A refusal of the pod that no preemption can resolve."""
    return Refused(plugin, (reason,), True)
