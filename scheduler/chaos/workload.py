"""Nodes with exactly the room that the pods need, so that one pod too many on any node shows. Pure.

Whatever order pods are placed in, all fit at the end: pods are of one size, those that keep apart come in groups of as
many as their pool has nodes, and those that spread have zones of equal room. The gangs of the pool ``scarce`` have room
for half of them until :attr:`Workload.late_nodes` are there.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..bench import templates
from ..bench.templates import HOSTNAME, ZONE, Object
from ..service.entity import OWN_GANG_LABEL, OWN_SIZE_LABEL

POOL = "chaos.idcbench.io/pool"
SPREAD_SHARE, APART_SHARE, GANG_SHARE, SCARCE_SHARE = 0.15, 0.10, 0.30, 0.10
"""Of all pods; the rest asks for nothing but room."""
GANG_LEAST, GANG_MOST = 10, 50
NODE_PODS = 100
MILLI_A_POD = 100
ZONES = ("zone-a", "zone-b", "zone-c")
LEAST_PODS = 300
"""With fewer some sort of pod would be missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """``units`` are gangs, whole, and pods alone, in the order of creation; ``gangs`` maps a gang to its size."""

    nodes: tuple[Object, ...]
    late_nodes: tuple[Object, ...]
    units: tuple[tuple[Object, ...], ...]
    gangs: dict[str, int]

    @property
    def pods(self) -> int:
        return sum(len(unit) for unit in self.units)

    def gang_of(self) -> dict[str, str]:
        """The gang of each pod that has one, by the pod's name."""
        return {
            pod["metadata"]["name"]: _gang_of(pod)
            for unit in self.units
            for pod in unit
            if OWN_GANG_LABEL in pod["metadata"]["labels"]
        }

    def parts(self, count: int) -> list[list[Object]]:
        """All pods in ``count`` parts of about the same size, no gang in two of them."""
        parts: list[list[Object]] = [[] for _ in range(count)]
        put = 0
        for unit in self.units:
            parts[min(count - 1, put * count // self.pods)].extend(unit)
            put += len(unit)
        return parts


def is_scarce(pod: Object) -> bool:
    """Whether it is of a gang that may have to wait for the late nodes."""
    return bool(pod["spec"]["nodeSelector"][POOL] == "scarce")


def workload(total: int, *, seed: int) -> Workload:
    """``total`` pods and their nodes. Raises ``ValueError`` when they are too few."""
    if total < LEAST_PODS:
        raise ValueError(f"wanted at least {LEAST_PODS} pods, found {total}")
    chance = random.Random(seed)
    scarce = list(_gangs("scarce", int(total * SCARCE_SHARE), chance))
    gangs = list(_gangs("common", int(total * GANG_SHARE), chance))
    spread = [_pod("spread", f"spread-{i:05d}", **_spreading()) for i in range(int(total * SPREAD_SHARE) // 3 * 3)]
    apart_nodes = max(4, round(math.sqrt(total * APART_SHARE)))
    apart = [
        _pod("apart", f"apart-{group:03d}-{i:03d}", labels={"apart": f"group-{group}"}, **_keeping_apart(group))
        for group in range(int(total * APART_SHARE) // apart_nodes)
        for i in range(apart_nodes)
    ]
    grouped = sum(len(gang) for gang in (*scarce, *gangs))
    plain = [_pod("common", f"plain-{i:05d}") for i in range(total - grouped - len(spread) - len(apart))]
    units = [*scarce, *gangs, *((pod,) for pod in (*spread, *apart, *plain))]
    chance.shuffle(units)
    waiting = sum(len(gang) for gang in scarce)
    return Workload(
        nodes=(
            *_nodes("common", grouped - waiting + len(plain)),
            *(node for zone in ZONES for node in _nodes("spread", len(spread) // 3, zone=zone)),
            *_nodes("apart", len(apart), each=len(apart) // apart_nodes),
            *_nodes("scarce", waiting // 2),
        ),
        late_nodes=tuple(_nodes("scarce", waiting - waiting // 2, prefix="late-")),
        units=tuple(units),
        gangs={_gang_of(gang[0]): len(gang) for gang in (*scarce, *gangs)},
    )


def _gangs(pool: str, pods: int, chance: random.Random) -> Iterator[tuple[Object, ...]]:
    """Gangs of random sizes, ``pods`` together; what is left for the last one joins the one before."""
    number = 0
    while pods:
        size = min(pods, chance.randint(GANG_LEAST, GANG_MOST))
        size = pods if pods - size < GANG_LEAST else size
        name = f"{pool}-gang-{number:04d}"
        labels = {OWN_GANG_LABEL: name, OWN_SIZE_LABEL: str(size)}
        yield tuple(_pod(pool, f"{name}-{i:02d}", labels=labels) for i in range(size))
        pods -= size
        number += 1


def _gang_of(pod: Object) -> str:
    return str(pod["metadata"]["labels"][OWN_GANG_LABEL])


def _pod(pool: str, name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> Object:
    spec |= {"nodeSelector": {POOL: pool}, "automountServiceAccountToken": False}
    return templates.pod(
        name, labels={"kind": pool} | (labels or {}), requests={"cpu": f"{MILLI_A_POD}m"}, limits=False, **spec
    )


def _spreading() -> dict[str, Any]:
    constraint = {
        "maxSkew": 2,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"kind": "spread"}},
    }
    return {"topologySpreadConstraints": [constraint]}


def _keeping_apart(group: int) -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": {"apart": f"group-{group}"}}, "topologyKey": HOSTNAME}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def _nodes(pool: str, pods: int, *, each: int = NODE_PODS, zone: str = "", prefix: str = "") -> Iterator[Object]:
    """Nodes of a pool with room for ``pods`` pods, none more."""
    for number in range(math.ceil(pods / each)):
        room = min(each, pods - number * each)
        node = templates.node(f"{prefix}{pool}{'-' * bool(zone)}{zone}-{number:04d}", zone=zone, pods=str(room))
        node["metadata"]["labels"][POOL] = pool
        for amounts in (node["status"]["capacity"], node["status"]["allocatable"]):
            amounts["cpu"] = f"{room * MILLI_A_POD}m"
        yield node
