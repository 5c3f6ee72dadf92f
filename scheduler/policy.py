"""How pods of one ``spec.schedulerName`` are placed: which plugins take part, and what they are told.

The defaults are those of kube-scheduler 1.37 (pkg/scheduler/apis/config/v1/{default_plugins,defaults}.go). A policy
holds no names that the engine does not know: whoever makes one from a file has checked it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from .objects import NodeAffinity, SpreadConstraint

DEFAULT_NAME = "default-scheduler"

DEFAULT_WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "NodeResourcesFit": 1,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }
)
"""The score plugins that are implemented, with their weights in the default profile."""

FILTERS = (
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
    "NodeDeclaredFeatures",
    "DynamicResources",
)
"""The filter plugins of the default profile."""

PREEMPTION = "DefaultPreemption"

SYSTEM_SPREAD = (
    SpreadConstraint(max_skew=3, topology_key="kubernetes.io/hostname", when_unsatisfiable="ScheduleAnyway"),
    SpreadConstraint(max_skew=5, topology_key="topology.kubernetes.io/zone", when_unsatisfiable="ScheduleAnyway"),
)
"""Spread constraints of a pod without any, under ``System`` defaulting (plugins/podtopologyspread/plugin.go)."""

Strategy = Literal["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"]


@dataclass(frozen=True, slots=True)
class WeightedResource:
    name: str
    weight: int = 1
    """1–100."""


@dataclass(frozen=True, slots=True)
class ShapePoint:
    """A corner of the line that RequestedToCapacityRatio scores by."""

    utilization: int
    """Percent of the capacity, 0–100; ascending along a shape."""
    score: int
    """0–10 as in the file; a node's score is ten times that."""


LESS_IS_BETTER = (ShapePoint(0, 10), ShapePoint(100, 0))
CPU_AND_MEMORY = (WeightedResource("cpu"), WeightedResource("memory"))


@dataclass(frozen=True, slots=True)
class FitScore:
    """How NodeResourcesFit scores. ``shape`` has points with RequestedToCapacityRatio alone."""

    strategy: Strategy = "LeastAllocated"
    resources: tuple[WeightedResource, ...] = CPU_AND_MEMORY
    shape: tuple[ShapePoint, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """One profile. Without arguments it is kube-scheduler's default one."""

    name: str = DEFAULT_NAME
    """The ``spec.schedulerName`` of the pods that it places."""
    weights: Mapping[str, int] = field(default_factory=lambda: DEFAULT_WEIGHTS, hash=False)
    """Weight of each score plugin that takes part, from 1 on; one that is absent does not score."""
    disabled: frozenset[str] = frozenset()
    """Members of ``FILTERS`` that do not filter, and ``PREEMPTION`` when no pod is taken away for another."""
    fit: FitScore = FitScore()
    balanced: tuple[WeightedResource, ...] = CPU_AND_MEMORY
    """Resources of NodeResourcesBalancedAllocation; it takes no notice of the weights, as upstream."""
    ignored_resources: frozenset[str] = frozenset()
    """Extended resources that the filter NodeResourcesFit does not look at."""
    ignored_resource_groups: frozenset[str] = frozenset()
    """The same for every resource whose name begins with one of these and a slash."""
    added_affinity: NodeAffinity | None = None
    """Holds for every pod besides its own node affinity."""
    spread_defaulting: Literal["System", "List"] = "System"
    """Under ``System``, a node that lacks one of the topology keys is still scored by the other."""
    spread_defaults: tuple[SpreadConstraint, ...] = SYSTEM_SPREAD
    """For pods without constraints that a Service or a controller selects; the selector comes from those."""
    volume_weight: int = 1
    """Weight of VolumeBinding's score, which 1.37 has switched on (StorageCapacityScoring); 0: it does not score. It
    is kept apart from ``weights`` because only a pod with an unbound claim has such a score."""
    volume_shape: tuple[ShapePoint, ...] = LESS_IS_BETTER
    """Score by how much of the volumes' capacity the claims would take."""
    hard_pod_affinity_weight: int = 1
    """What a required affinity term of a pod that is there already, matching the new one, counts in the score."""
    ignore_preferred_terms_of_existing: bool = False
    """Preferred terms of pods that are there count only for a new pod that has affinity terms of its own."""

    def filters(self, plugin: str) -> bool:
        return plugin not in self.disabled

    @property
    def preempts(self) -> bool:
        return PREEMPTION not in self.disabled
