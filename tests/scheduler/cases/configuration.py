"""Configurations of the default profile: few, because each is a scheduler of its own in the reference program."""

from __future__ import annotations

from random import Random

from .draw import Json, chance

_RESOURCES: list[list[Json]] = [
    [{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1}],
    [{"name": "cpu", "weight": 3}, {"name": "memory", "weight": 1}, {"name": "example.com/gpu", "weight": 5}],
    [{"name": "example.com/gpu", "weight": 2}, {"name": "ephemeral-storage", "weight": 1}],
]
_SHAPES: list[list[Json]] = [
    [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}],
    [{"utilization": 10, "score": 10}, {"utilization": 60, "score": 3}, {"utilization": 90, "score": 0}],
]


def configuration(rng: Random) -> Json:
    """A KubeSchedulerConfiguration; one of some hundred."""
    plugins: list[tuple[str, Json]] = []
    if chance(rng, 0.7):
        plugins.append(("NodeResourcesFit", _fit(rng)))
    if chance(rng, 0.3):
        plugins.append(("NodeResourcesBalancedAllocation", {"resources": _unweighed(rng.choice(_RESOURCES))}))
    if chance(rng, 0.3):
        plugins.append(("NodeAffinity", {"addedAffinity": _added(rng)}))
    if chance(rng, 0.3):
        hard = {"hardPodAffinityWeight": rng.choice([0, 100]), "ignorePreferredTermsOfExistingPods": chance(rng, 0.5)}
        plugins.append(("InterPodAffinity", hard))
    if chance(rng, 0.3):
        plugins.append(("PodTopologySpread", {"defaultConstraints": _constraints(rng), "defaultingType": "List"}))
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": [
            {
                "schedulerName": "default-scheduler",
                "pluginConfig": [{"name": name, "args": args} for name, args in plugins],
            }
        ],
    }


def _fit(rng: Random) -> Json:
    kind = rng.choice(["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"])
    strategy: Json = {"type": kind, "resources": rng.choice(_RESOURCES)}
    if kind == "RequestedToCapacityRatio":
        strategy["requestedToCapacityRatio"] = {"shape": rng.choice(_SHAPES)}
    args: Json = {"scoringStrategy": strategy}
    if chance(rng, 0.3):
        args["ignoredResources"] = ["example.com/gpu"]
    if chance(rng, 0.2):
        args["ignoredResourceGroups"] = ["idc"]
    return args


def _unweighed(resources: list[Json]) -> list[Json]:
    return [{"name": each["name"], "weight": 1} for each in resources]


def _added(rng: Random) -> Json:
    wanted = {"matchExpressions": [{"key": "disk", "operator": rng.choice(["Exists", "DoesNotExist"])}]}
    if chance(rng, 0.5):
        return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [wanted]}}
    return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 40, "preference": wanted}]}


def _constraints(rng: Random) -> list[Json]:
    action = rng.choice(["ScheduleAnyway", "DoNotSchedule"])
    return [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": action}]
