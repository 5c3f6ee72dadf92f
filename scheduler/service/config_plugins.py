"""``profiles[].plugins``: which plugins take part at which extension point, merged with the default ones as upstream.

A plugin that is named at its own extension point goes before ``multiPoint``, which goes before the defaults; enabled
goes before disabled; ``*`` disables all (pkg/scheduler/apis/config/v1/default_plugins.go, framework/runtime).
Where upstream lets one half of a plugin be switched off and would then fail at the first pod, that is an error here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...yamlfile.values import Section, Value, nearest
from ..policy import DEFAULT_WEIGHTS, FILTERS, PREEMPTION

POINTS = (
    "preEnqueue", "queueSort", "preFilter", "filter", "postFilter", "preScore", "score", "reserve", "permit",
    "preBind", "bind", "postBind", "placementGenerate", "placementScore", "podGroupPostFilter",
)  # fmt: skip

PLUGINS: Mapping[str, tuple[str, ...]] = {
    "SchedulingGates": ("preEnqueue",),
    "PrioritySort": ("queueSort",),
    "NodeName": ("preFilter", "filter"),
    "NodeUnschedulable": ("preFilter", "filter"),
    "TaintToleration": ("preFilter", "filter", "preScore", "score"),
    "NodeAffinity": ("preFilter", "filter", "preScore", "score"),
    "NodePorts": ("preFilter", "filter"),
    "NodeResourcesFit": ("preFilter", "filter", "preScore", "score", "placementScore"),
    "VolumeRestrictions": ("preFilter", "filter"),
    "NodeVolumeLimits": ("preFilter", "filter"),
    "VolumeBinding": ("preFilter", "filter", "preScore", "score", "reserve", "preBind"),
    "VolumeZone": ("preFilter", "filter"),
    "PodTopologySpread": ("preFilter", "filter", "preScore", "score"),
    "InterPodAffinity": ("preFilter", "filter", "preScore", "score"),
    "DynamicResources": (
        "preEnqueue", "preFilter", "filter", "postFilter", "podGroupPostFilter", "score", "reserve", "preBind",
    ),
    "DefaultPreemption": ("preEnqueue", "postFilter"),
    "NodeResourcesBalancedAllocation": ("preScore", "score"),
    "ImageLocality": ("score",),
    "DefaultBinder": ("bind",),
    "NodeDeclaredFeatures": ("preFilter", "filter"),
    "GangScheduling": ("preEnqueue", "permit"),
}  # fmt: skip
"""The plugins that there are here, and the points at which kube-scheduler 1.37's one of that name acts."""

ABSENT: Mapping[str, str] = {
    "DeferredPodScheduling": "behind the alpha gate InPlacePodVerticalScalingSchedulerPreemption",
    "TopologyPlacementGenerator": "behind the alpha gate TopologyAwareWorkloadScheduling",
    "PodGroupPodsCount": "behind the alpha gate TopologyAwareWorkloadScheduling",
}
"""Plugins of 1.37 that its default profile does not have and that are not implemented here."""

WEIGHT_MOST = 1_000_000
"""Of one score; the core adds up all eight, each of 100 points at most, in 32 bits."""
REMOVED = ("AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits")
ALWAYS = ("SchedulingGates", "PrioritySort", "DefaultBinder")
"""What every profile does here: gates hold, the queue is by priority, a pod is bound by a Binding. (Gangs are whole
too, but GangScheduling is behind a gate upstream, so nobody has to name it.)"""
REFUSES_EARLY = frozenset({"NodeAffinity", "VolumeRestrictions", "VolumeBinding", "VolumeZone", "DynamicResources"})
"""Plugins whose preFilter refuses nodes or pods by itself, so that their two halves go together."""
FOLLOWS = {"preFilter": "filter", "preScore": "score", "reserve": "filter", "preBind": "filter"}
"""A point that prepares, or carries out, what is decided at another."""


@dataclass(frozen=True, slots=True)
class TakingPart:
    """The outcome for one profile, in the terms of a Policy."""

    weights: Mapping[str, int]
    disabled: frozenset[str]
    volume_weight: int


@dataclass(slots=True)
class _Set:
    """One ``PluginSet``: what it enables with which weight, what it disables, and where each stands in the file."""

    enabled: dict[str, int | None] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    lines: dict[str, Value] = field(default_factory=dict)

    def leaves_out(self, name: str) -> bool:
        return "*" in self.disabled or name in self.disabled


def merge_plugins(plugins: Section | None) -> TakingPart:
    """What takes part; without a section, all defaults. Raises :class:`~idcbench.errors.UsageError`."""
    sets = {point: _read_set(plugins, point) for point in ("multiPoint", *POINTS)}
    if plugins is not None:
        plugins.close()
    multi = _merge_multi_point(sets["multiPoint"])
    active = {
        (name, point): name in sets[point].enabled or (name in multi and not sets[point].leaves_out(name))
        for name, points in PLUGINS.items()
        for point in points
    }
    if plugins is not None:
        _check_halves(plugins.value, active, sets)
    scores = {
        name: sets["score"].enabled.get(name) or multi.get(name) or 1
        for name in (*DEFAULT_WEIGHTS, "VolumeBinding")
        if active[name, "score"]
    }
    return TakingPart(
        weights={name: weight for name, weight in scores.items() if name != "VolumeBinding"},
        disabled=frozenset(
            [name for name in FILTERS if not active[name, "filter"]]
            + [name for name in (PREEMPTION,) if not active[name, "postFilter"]]
        ),
        volume_weight=scores.get("VolumeBinding", 0),
    )


def _merge_multi_point(custom: _Set) -> dict[str, int | None]:
    """The plugins of multiPoint, the defaults among them, each with the weight that is given."""
    kept = {name: DEFAULT_WEIGHTS.get(name) for name in PLUGINS if not custom.leaves_out(name)}
    return kept | custom.enabled


def _read_set(plugins: Section | None, point: str) -> _Set:
    found = _Set()
    value = plugins.take(point) if plugins else None
    if value is None:
        return found
    section = value.section()
    for entry in section.sections("enabled"):
        name, weight = _read_plugin(entry, point)
        if name in found.enabled:
            entry.value.refuse(f"{name} is enabled twice at {point}")
        found.enabled[name], found.lines[name] = weight, entry.value
    for entry in section.sections("disabled"):
        name, _ = _read_plugin(entry, point, star=True)
        found.disabled.add(name)
        found.lines.setdefault(name, entry.value)
    section.close()
    return found


def _read_plugin(entry: Section, point: str, *, star: bool = False) -> tuple[str, int | None]:
    value = entry.need("name", what="the name of a plugin")
    name, weight = value.name(), entry.take("weight")
    entry.close()
    if star and name == "*":
        return name, None
    check_known(value, name)
    if not star and point != "multiPoint" and point not in PLUGINS[name]:
        value.refuse(f"{name} does not act at {point}; it acts at {', '.join(PLUGINS[name])}")
    return name, weight.whole(least=0, most=WEIGHT_MOST) if weight else None


def check_known(value: Value, name: str) -> None:
    """Refuse a plugin that is not there. ``value`` is where it is named."""
    if name in ABSENT:
        value.refuse(f"{name} ({ABSENT[name]}) is not implemented here")
    if name in REMOVED:
        value.refuse(f"{name} is gone from Kubernetes; NodeVolumeLimits does its work")
    if name not in PLUGINS:
        value.refuse(f"no plugin {name!r} here{nearest(name, PLUGINS)}; plugins cannot be added")


def _check_halves(where: Value, active: Mapping[tuple[str, str], bool], sets: Mapping[str, _Set]) -> None:
    for name in ALWAYS:
        for point in PLUGINS[name]:
            if not active[name, point]:
                culprit = _culprit(where, name, sets, point)
                culprit.refuse(f"{name} cannot be switched off at {point}; enable it, or leave it as it is")
    for name, points in PLUGINS.items():
        for point in points:
            other = FOLLOWS.get(point)
            if other not in points or active[name, point] == active[name, other]:
                continue
            if not active[name, point] or (name in REFUSES_EARLY and other == "filter"):
                culprit = _culprit(where, name, sets, point if not active[name, point] else other)
                culprit.refuse(
                    f"{name} is switched off at one of {point} and {other}, which belong together; "
                    "switch it off at both, or at multiPoint"
                )


def _culprit(where: Value, name: str, sets: Mapping[str, _Set], point: str) -> Value:
    """The entry that switched it off."""
    for one in (sets[point], sets["multiPoint"]):
        if one.leaves_out(name):
            return one.lines.get(name) or one.lines["*"]
    return where
