"""Whether the cluster is what it is to be: asked of the cluster itself, until it is so or a limit is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from ...errors import ClusterError
from ...hosts.failure import HostError
from ...hosts.fleet import Fleet
from ...hosts.inventory import Inventory
from ..addons import registry
from .etcd_members import etcd_of
from .kubectl import Kubectl, is_ready

LIMIT_S = 180.0
ASK_S = 0.5


async def verify(reached: Fleet, inventory: Inventory, *, say: Callable[[str], None]) -> None:
    """Return once every host is a node that is ready, what runs in kube-system is, and etcd has all its members.

    Raises :class:`ClusterError` that names what is not so after three minutes.
    """
    leader = reached[inventory.control_planes[0].name]
    until_s = time.monotonic() + LIMIT_S
    while missing := await _missing(leader, inventory):
        if time.monotonic() > until_s:
            raise ClusterError(
                f"cluster {inventory.name}: after {LIMIT_S:.0f} s {'; '.join(missing)}; see `kubectl describe` there, "
                "and `journalctl -u kubelet` on the host"
            )
        await asyncio.sleep(ASK_S)
    say(f"cluster: {len(inventory.hosts)} nodes ready, etcd has {len(inventory.control_planes)} members")


async def _missing(leader: Any, inventory: Inventory) -> list[str]:
    kubectl = Kubectl(leader)
    try:
        nodes, pods = await asyncio.gather(
            kubectl.get("nodes"), kubectl.get("pods", "--all-namespaces", "-l", "!idcbench.io/ignored")
        )
        async with etcd_of(leader) as etcd:
            members = await etcd.members()
    except (HostError, TimeoutError) as error:
        return [str(error)]
    ready = {node["metadata"]["name"] for node in nodes["items"] if is_ready(node)}
    missing = [f"node {host.name} is not ready" for host in inventory.hosts if host.name not in ready]
    system = ("kube-system", "kube-flannel", registry.NAMESPACE)
    missing += [
        f"pod {pod['metadata']['namespace']}/{pod['metadata']['name']} is not ready"
        for pod in pods["items"]
        if pod["metadata"]["namespace"] in system and not is_ready(pod) and not has_ended(pod)
    ]
    voting = sum(1 for member in members if member.name and not member.is_learner)
    if voting != len(inventory.control_planes):
        missing.append(f"etcd has {voting} voting members, {len(inventory.control_planes)} are wanted")
    return missing


def has_ended(pod: dict[str, Any]) -> bool:
    """Whether it is done, or on its way out, or given up by a controller, which has made another in its place."""
    if pod["status"].get("phase") == "Failed":
        return any(owner["kind"] != "Node" for owner in pod["metadata"].get("ownerReferences", ()))
    return pod["status"].get("phase") == "Succeeded" or "deletionTimestamp" in pod["metadata"]
