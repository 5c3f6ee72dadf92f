"""What a host is like, as far as its configuration depends on it."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Found on the host itself.

    ``restricted``: a container that lacks CAP_SYS_RESOURCE and may not set what a machine may (oom scores, conntrack).
    """

    cgroup_version: int = 2
    restricted: bool = False
    cores: int = 2
    memory_bytes: int = 4 * 1024 * MIB
    containerd: str = "1.6"
    local_resolver: bool = False
    """Whether all its name servers are on its own loopback, where a pod that asked them would ask itself."""

    @property
    def cgroup_driver(self) -> str:
        """``systemd`` where it can be had: inside a container on cgroup v1 systemd has no controllers to give."""
        return "cgroupfs" if self.cgroup_version == 1 else "systemd"

    @property
    def reserved_memory_bytes(self) -> int:
        """For the system, and as much again for Kubernetes' own: a twentieth, between 128 MiB and 1 GiB."""
        return min(max(self.memory_bytes // 20, 128 * MIB), 1024 * MIB)
