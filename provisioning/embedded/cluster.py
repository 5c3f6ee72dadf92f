"""The embedded cluster as suites see it: facts, access, hosts, and the verbs, which the supervisor does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ...cluster import Capability, ClusterFacts, ComponentState, Happening, Link
from ...hosts.netns import NetnsHost
from ...kube.access import Access
from ..controlplane.endpoint import API_PORT
from ..controlplane.timers import PROFILES
from .blueprint import VIRTUAL_IP, address_of, endpoint_url, host_names
from .control import ask
from .layout import Record, StateDirectory


@dataclass(frozen=True, slots=True)
class SupervisorFaults:
    """The verbs, each asked of the supervisor."""

    control: Path

    async def kill(self, host: str, component: str) -> None:
        await ask(self.control, "kill", host=host, component=component)

    async def stop(self, host: str, component: str) -> None:
        await ask(self.control, "stop", host=host, component=component)

    async def start(self, host: str, component: str) -> None:
        await ask(self.control, "start", host=host, component=component)

    async def restart(self, host: str, component: str) -> None:
        await ask(self.control, "restart", host=host, component=component)

    async def freeze(self, host: str, component: str) -> None:
        await ask(self.control, "freeze", host=host, component=component)

    async def thaw(self, host: str, component: str) -> None:
        await ask(self.control, "thaw", host=host, component=component)

    async def link(self, host: str, state: Link) -> None:
        await ask(self.control, "link", host=host, state=state)

    async def limit(self, host: str, bits_per_s: int | None) -> None:
        await ask(self.control, "limit", host=host, bits_per_s=bits_per_s)

    async def freeze_host(self, host: str) -> None:
        await ask(self.control, "freeze_host", host=host)

    async def thaw_host(self, host: str) -> None:
        await ask(self.control, "thaw_host", host=host)

    async def stop_host(self, host: str) -> None:
        await ask(self.control, "stop_host", host=host)

    async def start_host(self, host: str) -> None:
        await ask(self.control, "start_host", host=host)

    async def components(self) -> Sequence[ComponentState]:
        return msgspec.convert(await ask(self.control, "components"), list[ComponentState])

    async def happenings(self, *, since_ns: int = 0) -> Sequence[Happening]:
        return msgspec.convert(await ask(self.control, "happenings", since_ns=since_ns), list[Happening])


@dataclass(frozen=True, slots=True)
class EmbeddedCluster:
    """A cluster that lives in the state directory ``state``, as ``record`` says."""

    state: StateDirectory
    record: Record
    reused: bool = False

    @property
    def facts(self) -> ClusterFacts:
        spec, record = self.record.spec, self.record
        return ClusterFacts(
            target="embedded",
            name=self.state.root.name,
            kubernetes=record.kubernetes,
            etcd=record.etcd,
            profile=spec.profile,
            shape=spec.shape,
            control_planes=spec.control_planes,
            nodes=spec.nodes,
            provenance=record.provenance,
            timers=PROFILES[spec.profile],
            virtual_ip=VIRTUAL_IP if spec.shape == "full" else "",
            ready_s=record.milestones.ready_s if record.milestones and not self.reused else None,
            reused=self.reused,
            versions=record.versions,
            digests=record.digests,
        )

    @property
    def access(self) -> Access:
        return access_of(self.state, self.record)

    @property
    def hosts(self) -> Sequence[NetnsHost]:
        return [
            NetnsHost(name=name, address=address_of(name), supervisor=self.record.supervisor)
            for name in host_names(self.record.spec)
        ]

    @property
    def workers(self) -> Sequence[NetnsHost]:
        """None: its nodes are simulated."""
        return ()

    @property
    def capabilities(self) -> frozenset[Capability]:
        several = {Capability.HA} if self.record.spec.control_planes > 1 else set()
        return frozenset({Capability.HOST_FAULTS, Capability.HOST_LINK, Capability.MANY_NODES} | several)

    @property
    def faults(self) -> SupervisorFaults:
        return SupervisorFaults(self.state.control)


def access_of(state: StateDirectory, record: Record) -> Access:
    """How to reach the cluster in ``state``, whether it is ready or not."""
    return Access(
        server=endpoint_url(record.spec),
        kubeconfig=state.kubeconfig,
        context=state.root.name,
        members=tuple(f"https://{address_of(name)}:{API_PORT}" for name in host_names(record.spec)),
        ca_file=state.pki / "ca.crt",
        cert_file=state.pki / "admin.crt",
        key_file=state.pki / "admin.key",
        gateway=state.gateway,
    )
