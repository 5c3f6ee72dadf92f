"""``profiles[].pluginConfig``: the arguments of the plugins, as the fields of a Policy.

Fields, defaults and bounds are those of kubescheduler.config.k8s.io/v1 (types_pluginargs.go, its defaults and its
validation). Raises :class:`~idcbench.errors.UsageError` with the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ...yamlfile.values import Section, Value
from ..objects import SpreadConstraint
from ..policy import CPU_AND_MEMORY, FitScore, ShapePoint, Strategy, WeightedResource
from .config_affinity import read_node_affinity
from .config_plugins import check_known

API_VERSION = "kubescheduler.config.k8s.io/v1"
POINTS_MOST = 32
"""So many points of a curve the core has room for (``curve`` in core/allocation.py)."""
_QUALIFIED = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


@dataclass(slots=True)
class Arguments:
    """What the arguments of one profile say; ``policy`` holds keywords of a Policy."""

    policy: dict[str, Any] = field(default_factory=dict)
    claim_limit: tuple[float, Value] | None = None
    """``bindTimeoutSeconds``, and where it stands: it holds for the whole process here."""
    notes: list[str] = field(default_factory=list)
    """Fields that are accepted and change nothing."""


def read_arguments(entries: Iterator[Section]) -> Arguments:
    """Read the list ``pluginConfig``."""
    found = Arguments()
    seen: set[str] = set()
    for entry in entries:
        where = entry.need("name", what="the name of a plugin")
        name, args = where.name(), entry.take("args")
        entry.close()
        if name in seen:
            where.refuse(f"{name} is configured twice")
        seen.add(name)
        _read_one(where, name, args, found)
    return found


def _read_one(where: Value, name: str, args: Value | None, found: Arguments) -> None:
    check_known(where, name)
    if name not in _READERS:
        where.refuse(f"{name} takes no arguments; those that do are {', '.join(sorted(_READERS))}")
    if args is None:
        return
    section = args.section()
    for key, wanted in (("apiVersion", API_VERSION), ("kind", f"{name}Args")):
        given = section.take(key)
        if given is not None:
            given.choice(wanted)
    _READERS[name](section, found)
    section.close()


def _fit(section: Section, found: Arguments) -> None:
    found.policy["ignored_resources"] = frozenset(_names(section, "ignoredResources"))
    found.policy["ignored_resource_groups"] = frozenset(_names(section, "ignoredResourceGroups", slash=False))
    given = section.take("scoringStrategy")
    if given is None:
        return
    strategy = given.section()
    kind: Strategy = strategy.need("type", what="a strategy").choice(
        "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"
    )
    resources = _resources(strategy, most=100)
    ratio = strategy.take("requestedToCapacityRatio")
    strategy.close()
    if kind == "RequestedToCapacityRatio" and ratio is None:
        given.refuse("requestedToCapacityRatio: its shape is wanted with this type; found nothing")
    if kind != "RequestedToCapacityRatio" and ratio is not None:
        ratio.refuse(f"goes with the type RequestedToCapacityRatio alone; found {kind}")
    found.policy["fit"] = FitScore(kind, resources, _ratio_shape(ratio.section()) if ratio else ())


def _ratio_shape(ratio: Section) -> tuple[ShapePoint, ...]:
    shape = _shape(ratio.need("shape", what="a list of points"))
    ratio.close()
    return shape


def _balanced(section: Section, found: Arguments) -> None:
    found.policy["balanced"] = _resources(section, most=1)


def _spread(section: Section, found: Arguments) -> None:
    given = section.take("defaultingType")
    defaulting = given.choice("System", "List") if given else "System"
    constraints: list[SpreadConstraint] = []
    for entry in section.sections("defaultConstraints"):
        if defaulting == "System":
            entry.value.refuse("constraints go with defaultingType List; found System")
        one = _constraint(entry)
        if any(same.topology_key == one.topology_key and same.when_unsatisfiable == one.when_unsatisfiable
               for same in constraints):  # fmt: skip
            entry.value.refuse(f"{one.topology_key} with {one.when_unsatisfiable} stands here again")
        constraints.append(one)
    if defaulting == "List":
        found.policy |= {"spread_defaulting": "List", "spread_defaults": tuple(constraints)}


def _constraint(entry: Section) -> SpreadConstraint:
    selector = entry.take("labelSelector")
    if selector is not None:
        selector.refuse("has no place here: the selector comes from the services and controllers of each pod")
    least, affinity, taints = (entry.take(k) for k in ("minDomains", "nodeAffinityPolicy", "nodeTaintsPolicy"))
    key = entry.need("topologyKey", what="the key of a node label")
    constraint = SpreadConstraint(
        max_skew=entry.need("maxSkew", what="a whole number").whole(least=1),
        topology_key=_qualified(key),
        when_unsatisfiable=entry.need("whenUnsatisfiable", what="DoNotSchedule or ScheduleAnyway").choice(
            "DoNotSchedule", "ScheduleAnyway"
        ),
        min_domains=least.whole(least=1) if least else None,
        node_affinity_policy=affinity.choice("Honor", "Ignore") if affinity else None,
        node_taints_policy=taints.choice("Honor", "Ignore") if taints else None,
        match_label_keys=tuple(_names(entry, "matchLabelKeys")) or None,
    )
    entry.close()
    return constraint


def _interpod(section: Section, found: Arguments) -> None:
    weight, ignore = section.take("hardPodAffinityWeight"), section.take("ignorePreferredTermsOfExistingPods")
    if weight is not None:
        found.policy["hard_pod_affinity_weight"] = weight.whole(least=0, most=100)
    if ignore is not None:
        found.policy["ignore_preferred_terms_of_existing"] = ignore.flag()


def _node_affinity(section: Section, found: Arguments) -> None:
    added = section.take("addedAffinity")
    found.policy["added_affinity"] = read_node_affinity(added.section()) if added else None


def _volume_binding(section: Section, found: Arguments) -> None:
    limit, shape = section.take("bindTimeoutSeconds"), section.take("shape")
    if limit is not None:
        found.claim_limit = float(limit.whole(least=0)), limit
    if shape is not None:
        found.policy["volume_shape"] = _shape(shape)


def _preemption(section: Section, found: Arguments) -> None:
    bounds = {"minCandidateNodesPercentage": 100, "minCandidateNodesAbsolute": 2**31 - 1}
    for name, most in bounds.items():
        given = section.take(name)
        if given is not None:
            given.whole(least=0, most=most)
            found.notes.append(f"line {given.line}: {given.path}: no effect: all nodes are looked at for victims")


def _dynamic_resources(section: Section, found: Arguments) -> None:
    for name in ("filterTimeout", "bindingTimeout"):
        given = section.take(name)
        if given is not None:
            given.seconds()
            found.notes.append(f"line {given.line}: {given.path}: no effect: resource claims are decided without it")


_READERS: dict[str, Callable[[Section, Arguments], None]] = {
    "NodeResourcesFit": _fit,
    "NodeResourcesBalancedAllocation": _balanced,
    "PodTopologySpread": _spread,
    "InterPodAffinity": _interpod,
    "NodeAffinity": _node_affinity,
    "VolumeBinding": _volume_binding,
    "DefaultPreemption": _preemption,
    "DynamicResources": _dynamic_resources,
}


def _resources(section: Section, *, most: int) -> tuple[WeightedResource, ...]:
    """``resources`` with weights from 1 to ``most``; 0 and none mean 1. An empty list means cpu and memory."""
    found: list[WeightedResource] = []
    for entry in section.sections("resources"):
        name = entry.need("name", what="the name of a resource")
        weight = entry.take("weight")
        entry.close()
        if any(same.name == name.name() for same in found):
            name.refuse(f"{name.name()} stands here again")
        found.append(WeightedResource(name.name(), (weight.whole(least=0, most=most) if weight else 1) or 1))
    return tuple(found) or CPU_AND_MEMORY


def _shape(value: Value) -> tuple[ShapePoint, ...]:
    points: list[ShapePoint] = []
    for item in value.items():
        entry = item.section()
        utilization = entry.need("utilization", what="percent")
        point = ShapePoint(
            utilization.whole(least=0, most=100), entry.need("score", what="0 to 10").whole(least=0, most=10)
        )
        entry.close()
        if points and points[-1].utilization >= point.utilization:
            utilization.fail(f"more than the {points[-1].utilization} of the point before")
        points.append(point)
    if not 0 < len(points) <= POINTS_MOST:
        value.refuse(f"1 to {POINTS_MOST} points are wanted; found {len(points)}")
    return tuple(points)


def _names(section: Section, name: str, *, slash: bool = True) -> list[str]:
    """A list of qualified names (``example.com/disk``), without a slash where that is asked for."""
    given = section.take(name)
    found = [_qualified(item) for item in given.items()] if given else []
    if given and not slash:
        for item in given.items():
            if "/" in item.text():
                item.fail("a group, the part before the slash,")
    return found


def _qualified(value: Value) -> str:
    name = value.name()
    return name if _QUALIFIED.fullmatch(name) else value.fail("a name such as cpu or example.com/disk")
