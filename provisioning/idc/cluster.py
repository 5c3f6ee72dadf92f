"""A cluster on the machines of an inventory, as suites see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...cluster import Capability, ClusterFacts
from ...hosts.lasting import LastingHost
from ...kube.access import Access
from .faults import HostFaults


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryCluster:
    """``hosts`` are the control planes, ``workers`` the others."""

    facts: ClusterFacts
    access: Access
    hosts: Sequence[LastingHost]
    workers: Sequence[LastingHost]
    capabilities: frozenset[Capability]
    faults: HostFaults
