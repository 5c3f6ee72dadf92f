"""What there is: hosts with their facts, and which of them are members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
