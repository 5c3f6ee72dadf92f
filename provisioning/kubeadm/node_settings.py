"""Labels and taints of nodes: what the inventory says, less what the cluster has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...hosts.inventory import HostEntry
from .kubectl import Kubectl

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
KUBERNETES, KUBELETS = ("kubernetes.io", "k8s.io"), ("kubelet.kubernetes.io", "node.kubernetes.io")
"""Domains of Kubernetes' own labels, and those in which a kubelet may set some (k8s.io/kubelet/pkg/apis)."""
KUBELET_LABELS = frozenset(
    {
        "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
    }
)  # fmt: skip
CREATED_S = 60
"""A kubelet registers its node within seconds once it has its certificate, which kubeadm waits for."""
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


def kubelet_may_set(label: str) -> bool:
    """Whether a kubelet takes the label for its own node (ValidateKubeletFlags); with another it would not start."""
    domain, slash, _ = label.rpartition("/")
    return not slash or not _within(domain, KUBERNETES) or label in KUBELET_LABELS or _within(domain, KUBELETS)


def _within(domain: str, parents: Sequence[str]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


def joined_works(hosts: Sequence[HostEntry]) -> list[NodeWork]:
    """What hosts get once they have joined: the labels that their kubelets may not set."""
    works = [
        NodeWork(host=host.name, labels=tuple(f"{k}={v}" for k, v in host.labels.items() if not kubelet_may_set(k)))
        for host in hosts
    ]
    return [work for work in works if work.words]


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


async def created(kubectl: Kubectl, name: str) -> None:
    """Return once the node is there. Raises :class:`~idcbench.hosts.failure.HostError` after a minute."""
    await kubectl.run("wait", "--for=create", f"node/{name}", f"--timeout={CREATED_S}s", timeout_s=CREATED_S + 10)


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
