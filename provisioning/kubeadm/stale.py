"""What the cluster still knows of a host that is not in it: an etcd member, a node, its name among the removed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from ...hosts.inventory import HostEntry
from ...hosts.ssh import SshHost
from ..addons.removed import NAMES
from .etcd_members import etcd_of
from .kubectl import Kubectl


async def forget(leader: SshHost, entries: Sequence[HostEntry]) -> None:
    """Make room for hosts that are about to join: what carries their names or addresses is nobody's any more.

    A node whose name is taken by a machine that is gone would let nobody join; a learner that an attempt left behind
    would let no control plane in.
    """
    kubectl = Kubectl(leader)
    nodes, removed = await asyncio.gather(
        kubectl.get("nodes"), kubectl.get("configmaps", "-n", "kube-system", f"--field-selector=metadata.name={NAMES}")
    )
    there = {node["metadata"]["name"] for node in nodes["items"]}
    if stale := [entry.name for entry in entries if entry.name in there]:
        await kubectl.run("delete", "node", *stale, "--ignore-not-found")
    listed = {name for each in removed["items"] for name in each.get("data", {})}
    if back := {entry.name: None for entry in entries if entry.name in listed}:
        await _patch(kubectl, back)
    await forget_members(leader, [entry for entry in entries if entry.is_control_plane])


async def forget_members(leader: SshHost, entries: Sequence[HostEntry]) -> list[str]:
    """Take the members of these hosts out of etcd; the names of those that had one."""
    if not entries:
        return []
    async with etcd_of(leader) as etcd:
        found = [(entry.name, member) for member in await etcd.members() for entry in entries if member.is_of(entry)]
        for _, member in found:
            await etcd.remove(member)
    return [name for name, _ in found]


async def remember_removed(kubectl: Kubectl, name: str) -> None:
    """From now on no node of that name is let in, and its host does not start when it asks."""
    await _patch(kubectl, {name: "removed"})


async def _patch(kubectl: Kubectl, data: dict[str, str | None] | dict[str, None] | dict[str, str]) -> None:
    body = json.dumps({"data": data})
    await kubectl.run("patch", "configmap", NAMES, "-n", "kube-system", "--type=merge", f"--patch={body}")
