"""The Lease as client-go writes and reads it, and what we know of its age by our own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from idcbench.kube.objects import Lease

from .settings import LeaseSettings


def micro_time(moment: datetime | None = None) -> str:
    """A ``MicroTime`` of the API: UTC with six digits."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Observed:
    """A Lease, and when (CLOCK_BOOTTIME, seconds) we first saw it as it is: no other machine's clock is trusted."""

    lease: Lease
    seen_s: float

    @property
    def holder(self) -> str:
        return self.lease.spec.holder_identity or ""

    @property
    def expires_s(self) -> float:
        """From then on it may be taken; at once when nobody holds it."""
        return self.seen_s + (self.lease.spec.lease_duration_seconds or 0) if self.holder else self.seen_s

    def seen_again(self, lease: Lease, now_s: float) -> Observed:
        """What is known after ``lease`` was read; it is younger only if its holder or its times differ."""
        known, told = self.lease.metadata.resource_version, lease.metadata.resource_version
        if known.isdecimal() and told.isdecimal() and int(told) <= int(known):
            return self
        return Observed(lease, self.seen_s if lease.spec == self.lease.spec else now_s)


def taken(settings: LeaseSettings, before: Lease | None) -> dict[str, Any]:
    """The Lease as we write it to take it from ``before``, or to renew it."""
    now = micro_time()
    spec: dict[str, Any] = {
        "holderIdentity": settings.identity,
        "leaseDurationSeconds": round(settings.duration_s),
        "renewTime": now,
        "acquireTime": now,
        "leaseTransitions": 0,
    }
    if before is not None:
        ours = before.spec.holder_identity == settings.identity
        spec["leaseTransitions"] = (before.spec.lease_transitions or 0) + (0 if ours else 1)
        if ours and before.spec.acquire_time:
            spec["acquireTime"] = before.spec.acquire_time
    return _manifest(settings, before, spec)


def released(settings: LeaseSettings, before: Lease) -> dict[str, Any]:
    """The Lease as we leave it: nobody's, for whoever comes next to take at once."""
    now = micro_time()
    return _manifest(settings, before, {
        "holderIdentity": "",
        "leaseDurationSeconds": 1,
        "renewTime": now,
        "acquireTime": now,
        "leaseTransitions": before.spec.lease_transitions or 0,
    })  # fmt: skip


def _manifest(settings: LeaseSettings, before: Lease | None, spec: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": settings.name, "namespace": settings.namespace}
    if before is not None:
        meta["resourceVersion"] = before.metadata.resource_version
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
