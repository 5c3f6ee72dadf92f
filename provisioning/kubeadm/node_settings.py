"""Labels and taints of nodes: what the inventory says, less what the cluster has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...hosts.inventory import HostEntry
from .kubectl import Kubectl

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWork:
    """What kubectl is to change of one node: arguments of ``label`` and of ``taint``."""

    host: str
    labels: tuple[str, ...] = ()
    taints: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        return [f"label {each}" for each in self.labels] + [f"taint {each}" for each in self.taints]


def node_works(hosts: Sequence[HostEntry], nodes: Mapping[str, Node]) -> list[NodeWork]:
    """For hosts that are nodes already; others get theirs when they join. What somebody else has set stays."""
    works = [_work(host, nodes[host.name]) for host in hosts if host.name in nodes]
    return [work for work in works if work.words]


async def apply(kubectl: Kubectl, work: NodeWork) -> None:
    """Raises :class:`~idcbench.hosts.failure.HostError` with what kubectl said."""
    if work.labels:
        await kubectl.run("label", "node", work.host, *work.labels, "--overwrite")
    if work.taints:
        await kubectl.run("taint", "node", work.host, *work.taints, "--overwrite")


def _work(host: HostEntry, node: Node) -> NodeWork:
    has = node["metadata"].get("labels", {})
    labels = [f"{key}={value}" for key, value in host.labels.items() if has.get(key) != value]
    there = {(one["key"], one.get("value", ""), one["effect"]) for one in node["spec"].get("taints") or ()}
    wanted = {(one.key, one.value, one.effect) for one in host.taints}
    taints = [_written(*one) for one in sorted(wanted - there)]
    own = (CONTROL_PLANE, "", "NoSchedule")
    if host.is_control_plane and not host.is_worker and own not in there:
        taints.append(_written(*own))
    if host.is_worker and own in there:
        taints.append(f"{CONTROL_PLANE}:NoSchedule-")
    return NodeWork(host=host.name, labels=tuple(labels), taints=tuple(taints))


def _written(key: str, value: str, effect: str) -> str:
    return f"{key}={value}:{effect}" if value else f"{key}:{effect}"
