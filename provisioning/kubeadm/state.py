"""What there is: hosts with their facts, which of them are members, and whether it is this inventory's cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import ClusterError
from ...hosts.inventory import HostEntry, Inventory
from ..facts.facts import Facts

MEMBER = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Facts of every host of the inventory, by name. ``broken``: members that are to be made anew."""

    inventory: Inventory
    facts: Mapping[str, Facts]
    broken: frozenset[str] = frozenset()

    def is_member(self, host: HostEntry) -> bool:
        """Whether it is a whole member: one that had begun to join, or to be made the first, is not."""
        facts = self.facts[host.name]
        return facts.mark.get("state") == MEMBER and facts.is_member and host.name not in self.broken

    def is_begun(self, host: HostEntry) -> bool:
        """Whether an attempt of ours is on it that did not end: it has to be made clean first.

        Our mark alone says so: what else lies there may be somebody's, and preflight refuses it.
        """
        return bool(self.facts[host.name].mark) and not self.is_member(host)

    @property
    def members(self) -> tuple[HostEntry, ...]:
        return tuple(host for host in self.inventory.hosts if self.is_member(host))

    @property
    def control_planes(self) -> tuple[HostEntry, ...]:
        """Those that are members."""
        return tuple(host for host in self.members if host.is_control_plane)

    @property
    def exists(self) -> bool:
        """Whether there is a cluster: a control plane that came to its end."""
        return bool(self.control_planes)

    def check_version(self, version: str) -> None:
        """Raise :class:`ClusterError` when members run another minor version of Kubernetes than ``version``."""
        minor = _minor(version)
        for host in self.members:
            found = self.facts[host.name].one("kubelet").removeprefix("v")
            if found and _minor(found) != minor:
                raise ClusterError(
                    f"host {host.name}: has Kubernetes {found}, the bundle {version}; no cluster is taken to another "
                    f"minor version: give a bundle of this one (idcbench bundle create --kubernetes {_minor(found)})"
                )

    def check(self) -> None:
        """Raise :class:`ClusterError` for hosts that belong to another cluster, or to none of ours."""
        for host in self.inventory.hosts:
            facts = self.facts[host.name]
            owner = facts.mark.get("cluster")
            if owner is not None and owner != self.inventory.name:
                raise ClusterError(
                    f"host {host.name}: belongs to cluster {owner}, not {self.inventory.name}; take it out of the "
                    f"inventory, or remove it from there first: idcbench node remove, or idcbench down"
                )
            if owner is None and (facts.is_member or facts.is_control_plane):
                raise ClusterError(
                    f"host {host.name}: belongs to a cluster that idcbench did not make ({facts.one('joined_to')}); "
                    "take it out of the inventory, or clean it with `kubeadm reset` when that cluster may lose it"
                )
        authorities = {facts.one("authority") for host in self.members if (facts := self.facts[host.name])}
        if len(authorities) > 1:
            raise ClusterError(
                f"the hosts of cluster {self.inventory.name} trust different authorities ("
                + ", ".join(f"{host.name} {self.facts[host.name].one('authority')[:8]}" for host in self.members)
                + "); they are of two clusters of that name"
            )


def _minor(version: str) -> str:
    """``1.37`` of ``1.37.2``."""
    return ".".join(version.split(".")[:2])
