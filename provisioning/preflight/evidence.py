"""What checks judge: the inventory, the facts of its hosts, what was measured between them, and the bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ...hosts.inventory import HostEntry, Inventory
from ..artifacts.bundle_schema import BundleManifest
from ..facts.facts import Facts

MEMBER = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The bundle: its head, or why it cannot be used."""

    path: str
    manifest: BundleManifest | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it. A host is in ``facts`` or in ``unreached``; in ``measured`` or in ``unmeasured`` when it was tried.

    ``bundle`` is ``None`` when none was given or found. Checks that lack what they judge say nothing.
    """

    inventory: Inventory
    facts: Mapping[str, Facts]
    unreached: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, Facts] = field(default_factory=dict)
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    bundle: Supply | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def hosts(self) -> Iterator[HostEvidence]:
        """Those whose facts are known, in the order of the inventory."""
        for entry in self.inventory.hosts:
            if entry.name in self.facts:
                yield HostEvidence(self, entry)

    @property
    def control_planes(self) -> tuple[HostEvidence, ...]:
        return tuple(host for host in self.hosts if host.entry.is_control_plane)

    @property
    def kubernetes(self) -> tuple[int, int]:
        """Major and minor number of the version that is wanted."""
        major, minor = self.inventory.kubernetes.removeprefix("v").split(".")[:2]
        return int(major), int(minor)


@dataclass(frozen=True, slots=True)
class HostEvidence:
    """The same for one host."""

    all: Evidence = field(repr=False)
    entry: HostEntry

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def facts(self) -> Facts:
        return self.all.facts[self.name]

    @property
    def measured(self) -> Facts:
        """Without lines when it was not measured."""
        return self.all.measured.get(self.name, Facts({}))

    @property
    def owner(self) -> str:
        """The cluster that it belongs to, as idcbench marked it; empty when there is no mark."""
        return str(self.facts.mark.get("cluster", ""))

    @property
    def is_member(self) -> bool:
        """Whether it is a whole member of this cluster."""
        return self.owner == self.all.inventory.name and self.facts.mark.get("state") == MEMBER

    @property
    def is_elsewhere(self) -> bool:
        """Whether it belongs to another cluster, of idcbench or of others: advice must never harm that."""
        if self.owner:
            return self.owner != self.all.inventory.name
        return self.facts.is_member or self.facts.is_control_plane

    @property
    def is_in_use(self) -> bool:
        """Whether anything of any cluster may run there, which measuring is not to disturb."""
        return self.is_elsewhere or self.facts.is_member or self.facts.is_control_plane

    @property
    def is_container(self) -> bool:
        return self.facts.one("container") not in ("", "none")

    @property
    def interface(self) -> str:
        """The one that has the node's address; empty when none has."""
        found = self.facts.interface_of(self.entry.node_address)
        return found[0] if found else ""
