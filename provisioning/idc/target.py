"""The target ``inventory.yaml``: from an inventory to a cluster that tests may use, and to hosts as they were found."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...cluster import Capability, ClusterFacts, ClusterSpec
from ...errors import UsageError
from ...hosts.inventory import Inventory
from ...hosts.inventory_file import read_inventory
from ...hosts.lasting import LastingHost
from ...kube.access import Access
from ...kube.kubeconfig import access_from_kubeconfig, write_private
from ...progress import Progress, silent
from ..controlplane.endpoint import API_PORT
from ..controlplane.timers import PROFILES
from ..existing import ExistingTarget
from ..kubeadm.access import administrator
from ..kubeadm.downing import take_down
from ..kubeadm.upping import bring_up, is_there
from ..power.driver import driver_of
from ..power.lab import LabPower
from .cluster import InventoryCluster
from .faults import HostFaults
from .watching import Watcher

ANSWERED = frozenset({"control_planes", "kubernetes", "profile", "scheduler"})
"""Options that an inventory answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryTarget:
    """The cluster of the inventory at ``path``; made from ``bundle`` when there is none."""

    path: Path
    bundle: Path | None = None
    progress: Progress = silent

    @property
    def id(self) -> str:
        return f"idc-{read_inventory(self.path).name}"

    @contextlib.asynccontextmanager
    async def cluster(self, spec: ClusterSpec, *, keep: bool) -> AsyncIterator[InventoryCluster]:
        """As :meth:`idcbench.cluster.Target.cluster` says. One that was there is used as it is, and stays."""
        inventory = read_inventory(self.path)
        _refuse(spec, self.path)
        began_s = time.monotonic()
        reused = await is_there(inventory)
        if not reused:
            await bring_up(inventory, bundle=self.bundle, say=lambda line: self.progress(line))
        ready_s = None if reused else time.monotonic() - began_s
        self.progress("")
        try:
            async with contextlib.AsyncExitStack() as stack:
                yield await _attached(inventory, stack, reused=reused, ready_s=ready_s)
        finally:
            if not (reused or keep):
                await take_down(inventory, confirm=inventory.name, say=lambda line: self.progress(line))


def _refuse(spec: ClusterSpec, path: Path) -> None:
    if said := sorted(spec.asked & ANSWERED):
        raise UsageError(f"--{said[0].replace('_', '-')}: {path} says what the cluster is; set it there")
    if "nodes" in spec.asked:
        raise UsageError("--nodes counts simulated nodes; the nodes of an inventory are its hosts")
    if spec.shape != "full":
        raise UsageError("--shape bench is for the embedded target; hosts become a whole cluster")


async def _attached(
    inventory: Inventory, stack: contextlib.AsyncExitStack, *, reused: bool, ready_s: float | None
) -> InventoryCluster:
    """The cluster with connections to all its hosts, which end with ``stack``."""
    hosts = {entry.name: LastingHost(inventory=inventory, entry=entry) for entry in inventory.hosts}
    for host in hosts.values():
        stack.push_async_callback(host.close)
    await asyncio.gather(*(host.connected() for host in hosts.values()))
    access = await _access(inventory, stack)
    power = {entry.name: driver_of(inventory, entry) for entry in inventory.hosts if entry.power is not None}
    watcher = Watcher(hosts={entry.name: hosts[entry.name] for entry in inventory.control_planes})
    await watcher.begin()
    async with ExistingTarget(kubeconfig=str(access.kubeconfig)).cluster(ClusterSpec(), keep=True) as seen:
        facts = _facts(inventory, seen.facts, reused=reused, ready_s=ready_s, power=list(power.values()))
        found = seen.capabilities | _capabilities(inventory, list(power.values()))
    return InventoryCluster(
        facts=facts,
        access=access,
        hosts=[hosts[entry.name] for entry in inventory.control_planes],
        workers=[hosts[entry.name] for entry in inventory.workers],
        capabilities=found,
        faults=HostFaults(hosts=hosts, power=power, watcher=watcher),
    )


async def _access(inventory: Inventory, stack: contextlib.AsyncExitStack) -> Access:
    """The administrator's, in a private folder that goes with ``stack``."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idcbench-")))
    write_private(folder / "kubeconfig", (await administrator(inventory)).encode())
    access = access_from_kubeconfig(folder / "kubeconfig")
    members = tuple(f"https://{host.node_address}:{API_PORT}" for host in inventory.control_planes)
    return dataclasses.replace(access, members=members)


def _facts(
    inventory: Inventory, seen: ClusterFacts, *, reused: bool, ready_s: float | None, power: Sequence[object]
) -> ClusterFacts:
    held = inventory.endpoint.mode == "keepalived"
    return dataclasses.replace(
        seen,
        target="inventory",
        name=inventory.name,
        profile=inventory.profile,
        control_planes=len(inventory.control_planes),
        provenance=f"hosts of {inventory.path.name}, by kubeadm",
        timers=PROFILES[inventory.profile] if held else None,
        virtual_ip=inventory.endpoint.address if held else "",
        ready_s=ready_s,
        reused=reused,
        ours=inventory.disruptive or not reused,
        power_loss="processes killed" if any(isinstance(one, LabPower) for one in power) else seen.power_loss,
    )


def _capabilities(inventory: Inventory, power: Sequence[object]) -> frozenset[Capability]:
    """What hosts add to what the API server tells."""
    found = {Capability.REAL_PODS, Capability.HOST_FAULTS}
    if len(power) == len(inventory.hosts):
        found.add(Capability.HOST_POWER)
        if all(isinstance(one, LabPower) for one in power):
            found.add(Capability.HOST_LINK)
    return frozenset(found)
