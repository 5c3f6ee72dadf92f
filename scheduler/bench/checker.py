"""The independent checker: reads what the API says, knows nothing of any scheduler, and judges every placement.

What it shares with the scheduler is how objects are typed and how quantities are read; every rule is written anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ..objects import Node, Pod, PodGroup
from . import checking_nodes, checking_topology
from .checking_labels import Labels


def check(
    nodes: Sequence[Node], pods: Sequence[Pod], groups: Sequence[PodGroup], *,
    namespaces: Mapping[str, Labels] | None = None,
) -> list[str]:  # fmt: skip
    """Every violation, as a sentence with the names of the objects; empty when all is right.

    No node overcommitted (cpu, memory, pods, whatever else is asked for), node selectors and affinity, taints, gates,
    host ports, required pod affinity and anti-affinity, hard spreading, gangs whole or not at all. ``namespaces`` maps
    each to its labels, where a term selects namespaces.
    """
    holding = [pod for pod in pods if pod.spec.node_name and not pod.over]
    return [
        *_on_nodes(nodes, holding),
        *checking_topology.violations(checking_topology.Neighbourhood(nodes, holding, namespaces or {})),
        *_partial_gangs(groups, pods),
    ]


def _on_nodes(nodes: Sequence[Node], pods: Sequence[Pod]) -> Iterator[str]:
    by_node: dict[str, list[Pod]] = defaultdict(list)
    for pod in pods:
        by_node[pod.spec.node_name].append(pod)
    known = {node.metadata.name: node for node in nodes}
    for name, there in by_node.items():
        if name in known:
            yield from checking_nodes.violations(known[name], there)
        else:
            yield f"{there[0].key} and {len(there) - 1} others are on node {name}, which does not exist"


def _partial_gangs(groups: Sequence[PodGroup], pods: Sequence[Pod]) -> Iterator[str]:
    members: dict[str, list[Pod]] = defaultdict(list)
    for pod in pods:
        if pod.spec.scheduling_group and pod.spec.scheduling_group.pod_group_name:
            members[f"{pod.metadata.namespace}/{pod.spec.scheduling_group.pod_group_name}"].append(pod)
    for group in groups:
        policy = group.spec.scheduling_policy
        least = policy.gang.min_count if policy and policy.gang else group.spec.min_member
        name = f"{group.metadata.namespace}/{group.metadata.name}"
        bound = sum(bool(pod.spec.node_name) for pod in members[name])
        if 0 < bound < least:
            yield f"gang {name}: {bound} of its pods are bound, {least} are needed"
