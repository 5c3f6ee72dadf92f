"""The rows of scheduler_perf that are measured, at any scale; the sizes at scale 1 are those of 1.37.2."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import templates as t
from .workload import CHURN_NAMESPACE, MEASURED, Batch, Churn, Workload

BASIC_ROUNDS, OTHER_ROUNDS = 10, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: its sizes at scale 1, and the workload at any size. ``rounds`` is how often it is measured by default."""

    name: str
    nodes: int
    init: int
    measured: int
    make: Callable[[Row], Workload]
    rounds: int = OTHER_ROUNDS

    def scaled(self, scale: float) -> Row:
        """Every count times ``scale``, rounded up. Raises ``ValueError`` outside 0 < scale ≤ 10."""
        if not 0 < scale <= 10:
            raise ValueError(f"scale {scale:g} is not in 0 to 10")
        sizes = {name: math.ceil(getattr(self, name) * scale) for name in ("nodes", "init", "measured")}
        return Row(name=self.name, make=self.make, rounds=self.rounds, **sizes)

    def workload(self) -> Workload:
        return self.make(self)


def _nodes(row: Row, *zones: str) -> tuple[Batch, ...]:
    return (Batch(row.nodes, lambda i: t.node(f"node-{i:05d}", zone=zones[i % len(zones)] if zones else "")),)


def _pods(count: int, prefix: str, **as_given: Any) -> Batch:
    return Batch(count, lambda i: t.pod(f"{prefix}{i:05d}", **as_given))


def _basic(row: Row) -> Workload:
    return Workload(
        name=row.name,
        nodes=_nodes(row),
        init=(_pods(row.init, "init-"),),
        measured=_pods(row.measured, MEASURED),
    )


def _node_affinity(row: Row) -> Workload:
    affinity = t.node_affinity("zone1", "zone2")
    return Workload(
        name=row.name,
        nodes=_nodes(row, "zone1"),
        init=(_pods(row.init, "init-", affinity=affinity),),
        measured=_pods(row.measured, MEASURED, affinity=affinity),
    )


def _spreading(row: Row, *, hard: bool) -> Workload:
    constraints = t.spreading("blue", hard=hard)
    return Workload(
        name=row.name,
        nodes=_nodes(row, "moon-1", "moon-2", "moon-3"),
        init=(_pods(row.init, "init-"),),
        measured=_pods(row.measured, MEASURED, labels={"color": "blue"}, topologySpreadConstraints=constraints),
    )


def _affine(row: Row, color: str, *zones: str, key: str, anti: bool = False, preferred: bool = False) -> Workload:
    """Init pods in sched-0, measured ones in sched-1, all with the same term."""
    affinity = t.pod_affinity(color, key=key, anti=anti, preferred=preferred)
    same = {"labels": {"color": color}, "affinity": affinity}
    return Workload(
        name=row.name,
        nodes=_nodes(row, *zones),
        namespaces=("sched-0", "sched-1"),
        init=(_pods(row.init, "init-", namespace="sched-0", **same),),
        measured=_pods(row.measured, MEASURED, namespace="sched-1", **same),
    )


def _mixed(row: Row) -> Workload:
    kinds: dict[str, dict[str, Any]] = {
        "basic-": {},
        "affinity-": {"labels": {"color": "blue"}, "affinity": t.pod_affinity("blue", key=t.ZONE)},
        "anti-": {"labels": {"color": "green"}, "affinity": t.pod_affinity("green", key=t.HOSTNAME, anti=True)},
        "likes-": {"labels": {"color": "red"}, "affinity": t.pod_affinity("red", key=t.HOSTNAME, preferred=True)},
        "dislikes-": {
            "labels": {"color": "yellow"},
            "affinity": t.pod_affinity("yellow", key=t.HOSTNAME, anti=True, preferred=True),
        },
    }
    return Workload(
        name=row.name,
        nodes=_nodes(row, "zone1"),
        namespaces=("sched-0",),
        init=tuple(_pods(row.init, prefix, namespace="sched-0", **kind) for prefix, kind in kinds.items()),
        measured=_pods(row.measured, MEASURED),
    )


def _high(turn: int, requests: dict[str, str], *, limits: bool) -> t.Object:
    return t.pod(
        f"high-{turn:05d}",
        namespace=CHURN_NAMESPACE,
        requests=requests,
        limits=limits,
        priorityClassName=t.HIGH_PRIORITY,
    )


def _unschedulable(row: Row) -> Workload:
    """Five times a second a pod of high priority comes that fits nowhere, not even after preemption."""
    churn = Churn(
        interval_s=0.2,
        mode="create",
        make=lambda turn: (_high(turn, {"cpu": "9", "memory": "500Mi"}, limits=False),),
    )
    return Workload(
        name=row.name,
        nodes=_nodes(row),
        init=(_pods(row.init, "init-"),),
        measured=_pods(row.measured, MEASURED),
        churn=churn,
    )


def _preemption(row: Row) -> Workload:
    """Nodes with 3.6 of 4 CPU taken; five times a second a pod comes that must push three pods out."""
    low = {"cpu": "900m", "memory": "500Mi"}
    return Workload(
        name=row.name,
        nodes=_nodes(row),
        init=(_pods(row.init, "low-", requests=low, terminationGracePeriodSeconds=0),),
        measured=_pods(row.measured, MEASURED),
        churn=Churn(
            interval_s=0.2,
            mode="create",
            make=lambda turn: (_high(turn, {"cpu": "3", "memory": "500Mi"}, limits=True),),
        ),
    )


def _churning(row: Row) -> Workload:
    """Each second a node without room, a pod that fits nowhere and a service go and come again."""

    def turn(number: int) -> tuple[t.Object, ...]:
        return (
            t.node(f"churn-{number:05d}", pods="0"),
            _high(number, {"cpu": "9", "memory": "500Mi"}, limits=False),
            t.service(f"churn-{number:05d}", namespace=CHURN_NAMESPACE),
        )

    return Workload(
        name=row.name,
        nodes=_nodes(row),
        measured=_pods(row.measured, MEASURED),
        churn=Churn(interval_s=1.0, mode="recreate", make=turn),
    )


def _daemonset(row: Row) -> Workload:
    """All pods ask for one node by its name."""
    one = Batch(1, lambda _: t.node(t.ONE_NODE, pods="90000"))
    return Workload(
        name=row.name,
        nodes=(*_nodes(row), one),
        measured=_pods(row.measured, MEASURED, requests={}, affinity=t.on_node(t.ONE_NODE)),
    )


def _gangs(row: Row, *, size: int) -> Workload:
    """``row.measured`` pods in gangs of ``size``; the last gang is whole too."""
    gangs = math.ceil(row.measured / size)
    requests = {"cpu": "100m", "memory": "100Mi"}

    def member(number: int) -> t.Object:
        group = {"podGroupName": f"gang-{number // size}"}
        return t.pod(
            f"{MEASURED}{number:05d}", namespace="gang-0", requests=requests, limits=False, schedulingGroup=group
        )

    return Workload(
        name=row.name,
        nodes=_nodes(row),
        namespaces=("gang-0",),
        gangs=Batch(gangs, lambda i: t.gang(f"gang-{i}", namespace="gang-0", least=size)),
        measured=Batch(gangs * size, member),
    )


def _rows(*rows: Row) -> dict[str, Row]:
    return {row.name: row for row in rows}


ROWS = _rows(
    Row(name="basic-500", nodes=500, init=1000, measured=10_000, make=_basic, rounds=BASIC_ROUNDS),
    Row(name="basic-1000", nodes=1000, init=1000, measured=10_000, make=_basic, rounds=BASIC_ROUNDS),
    Row(name="basic-5000", nodes=5000, init=1000, measured=10_000, make=_basic, rounds=BASIC_ROUNDS),
    Row(name="node-affinity", nodes=5000, init=5000, measured=10_000, make=_node_affinity),
    Row(name="spreading", nodes=5000, init=5000, measured=5000, make=lambda row: _spreading(row, hard=True)),
    Row(name="preferred-spreading", nodes=5000, init=5000, measured=5000, make=lambda row: _spreading(row, hard=False)),
    Row(
        name="pod-affinity",
        nodes=5000,
        init=5000,
        measured=5000,
        make=lambda row: _affine(row, "blue", "zone1", key=t.ZONE),
    ),
    Row(
        name="pod-anti-affinity",
        nodes=5000,
        init=1000,
        measured=2000,
        make=lambda row: _affine(row, "green", key=t.HOSTNAME, anti=True),
    ),
    Row(
        name="preferred-pod-affinity",
        nodes=5000,
        init=5000,
        measured=5000,
        make=lambda row: _affine(row, "red", key=t.HOSTNAME, preferred=True),
    ),
    Row(
        name="preferred-pod-anti-affinity",
        nodes=5000,
        init=5000,
        measured=5000,
        make=lambda row: _affine(row, "yellow", key=t.HOSTNAME, anti=True, preferred=True),
    ),
    Row(name="mixed", nodes=5000, init=2000, measured=5000, make=_mixed),
    Row(name="unschedulable", nodes=5000, init=100, measured=10_000, make=_unschedulable),
    Row(name="preemption", nodes=5000, init=20_000, measured=5000, make=_preemption),
    Row(name="churn", nodes=5000, init=0, measured=10_000, make=_churning),
    Row(name="daemonset", nodes=15_000, init=0, measured=30_000, make=_daemonset),
    Row(name="gangs-of-3", nodes=5000, init=0, measured=3000, make=lambda row: _gangs(row, size=3)),
    Row(name="gangs-of-1000", nodes=5000, init=0, measured=3000, make=lambda row: _gangs(row, size=1000)),
)
