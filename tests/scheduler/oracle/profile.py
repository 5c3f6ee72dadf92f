"""The profile's plugin arguments, of which the default ones are those of an empty configuration."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from idcbench.scheduler.objects import NodeAffinity, SpreadConstraint

WEIGHTS = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "VolumeBinding": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "DynamicResources": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}
"""apis/config/v1/default_plugins.go; a plugin without a weight there has 1."""

SYSTEM_SPREAD = (
    SpreadConstraint(max_skew=3, topology_key="kubernetes.io/hostname", when_unsatisfiable="ScheduleAnyway"),
    SpreadConstraint(max_skew=5, topology_key="topology.kubernetes.io/zone", when_unsatisfiable="ScheduleAnyway"),
)
"""podtopologyspread/plugin.go, systemDefaultConstraints."""


class Weighed(Struct, frozen=True):
    """A resource that a score looks at."""

    name: str
    weight: int = 1


class Point(Struct, frozen=True):
    """A point of a curve: utilization in percent, score of 0 to 10."""

    utilization: int
    score: int


class Profile(Struct, frozen=True, kw_only=True):
    """What of a profile changes the outcome."""

    added_affinity: NodeAffinity | None = None
    ignored_resources: frozenset[str] = frozenset()
    ignored_groups: frozenset[str] = frozenset()
    strategy: str = "LeastAllocated"
    fit_resources: tuple[Weighed, ...] = (Weighed("cpu"), Weighed("memory"))
    shape: tuple[Point, ...] = ()
    balanced_resources: tuple[Weighed, ...] = (Weighed("cpu"), Weighed("memory"))
    hard_affinity_weight: int = 1
    ignore_preferred_of_existing: bool = False
    default_spread: tuple[SpreadConstraint, ...] = SYSTEM_SPREAD
    system_spread: bool = True
    storage_shape: tuple[Point, ...] = (Point(0, 10), Point(100, 0))

    @classmethod
    def of(cls, configuration: dict[str, Any] | None) -> Profile:
        """From a KubeSchedulerConfiguration with one profile; ``None`` is the default."""
        if not configuration:
            return cls()
        given = configuration["profiles"][0].get("pluginConfig", [])
        args = {entry["name"]: entry["args"] for entry in given}
        fit = msgspec.convert(args.get("NodeResourcesFit", {}), _FitArgs)
        strategy = fit.strategy or _Strategy()
        spread = msgspec.convert(args.get("PodTopologySpread", {}), _SpreadArgs)
        inter_pod = msgspec.convert(args.get("InterPodAffinity", {}), _InterPodArgs)
        balanced = msgspec.convert(args.get("NodeResourcesBalancedAllocation", {}), _BalancedArgs)
        node = msgspec.convert(args.get("NodeAffinity", {}), _NodeAffinityArgs)
        return cls(
            added_affinity=node.added,
            ignored_resources=frozenset(fit.ignored_resources),
            ignored_groups=frozenset(fit.ignored_resource_groups),
            strategy=strategy.type,
            fit_resources=strategy.resources,
            shape=strategy.ratio.shape if strategy.ratio else (),
            balanced_resources=balanced.resources,
            hard_affinity_weight=inter_pod.hard_pod_affinity_weight,
            ignore_preferred_of_existing=inter_pod.ignore_preferred_terms_of_existing_pods,
            default_spread=SYSTEM_SPREAD if spread.defaulting_type == "System" else spread.default_constraints,
            system_spread=spread.defaulting_type == "System",
        )


class _Ratio(Struct, frozen=True):
    shape: tuple[Point, ...] = ()


class _Strategy(Struct, frozen=True):
    type: str = "LeastAllocated"
    resources: tuple[Weighed, ...] = (Weighed("cpu"), Weighed("memory"))
    ratio: _Ratio | None = field(default=None, name="requestedToCapacityRatio")


class _FitArgs(Struct, frozen=True, rename="camel"):
    ignored_resources: tuple[str, ...] = ()
    ignored_resource_groups: tuple[str, ...] = ()
    strategy: _Strategy | None = field(default=None, name="scoringStrategy")


class _BalancedArgs(Struct, frozen=True):
    resources: tuple[Weighed, ...] = (Weighed("cpu"), Weighed("memory"))


class _SpreadArgs(Struct, frozen=True, rename="camel"):
    default_constraints: tuple[SpreadConstraint, ...] = ()
    defaulting_type: str = "System"


class _InterPodArgs(Struct, frozen=True, rename="camel"):
    hard_pod_affinity_weight: int = 1
    ignore_preferred_terms_of_existing_pods: bool = False


class _NodeAffinityArgs(Struct, frozen=True):
    added: NodeAffinity | None = field(default=None, name="addedAffinity")
