"""An embedded cluster in the bench shape as the place of a benchmark: its stored state is kept, and put back.

Satisfies the scheduler benchmark's ``Arena`` by its methods; neither room imports the other.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...errors import ClusterError
from ...kube.access import Access
from ...kube.apierror import ApiError
from ...kube.kubeconfig import write_kubeconfig
from ...kube.session import ApiSession
from .cluster import EmbeddedCluster

HOST = "cp1"
SERVERS = ("kube-apiserver", "etcd")
READY_LIMIT_S = 60.0
POLL_S = 0.05


@dataclass(slots=True)
class BenchArena:
    """A cluster in the bench shape. Its states are kept in a folder of the cluster, and go with it."""

    cluster: EmbeddedCluster
    encoding: Literal["protobuf", "json"] = "protobuf"
    _outside: dict[str, int] = field(default_factory=dict)

    @property
    def label(self) -> str:
        facts = self.cluster.facts
        return f"kube-apiserver {facts.kubernetes}, etcd {facts.etcd}"

    @property
    def access(self) -> Access:
        return self.cluster.access

    @property
    def scheduler_kubeconfig(self) -> Path:
        """The administrator's, to the API server itself; written when it is first asked for."""
        path, pki = self.cluster.state.root / "bench.conf", self.cluster.state.pki
        if not path.exists():
            write_kubeconfig(
                path,
                server=self.access.server,
                ca_pem=(pki / "ca.crt").read_bytes(),
                cert_pem=(pki / "admin.crt").read_bytes(),
                key_pem=(pki / "admin.key").read_bytes(),
                name=self.cluster.state.root.name,
            )
        return path

    @property
    def audit_log(self) -> Path:
        return self.cluster.state.logs / HOST / "audit.log"

    def command(self, argv: Sequence[str]) -> list[str]:
        """In the cluster's network, otherwise in the caller's world; nsenter(1) becomes ``argv`` without a fork."""
        supervisor = self.cluster.record.supervisor
        mine = Path("/proc/self/ns/user").stat().st_ino == Path(f"/proc/{supervisor}/ns/user").stat().st_ino
        user = [] if mine else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={supervisor}", *user, "--net", "--", *argv]

    def servers(self) -> Mapping[str, int]:
        return dict(self._outside)

    def kept(self) -> frozenset[str]:
        return frozenset(path.name for path in self._states.glob("*"))

    async def keep(self, state: str) -> None:
        await self.stop()
        await self.discard(state)
        self._states.mkdir(exist_ok=True)
        await asyncio.to_thread(_copy, self._data, self._states / state)

    async def restore(self, state: str) -> None:
        """Raises :class:`ClusterError` when there is no such state, or the API server does not get ready."""
        if state not in self.kept():
            raise ClusterError(f"no state {state!r} is kept; there are {', '.join(sorted(self.kept())) or 'none'}")
        await self.stop()
        shutil.rmtree(self._data)
        for log in self.audit_log.parent.glob("audit*.log"):
            log.unlink()
        await asyncio.to_thread(_copy, self._states / state, self._data)
        for component in reversed(SERVERS):
            await self.cluster.faults.start(HOST, component)
        await self._until_ready()
        self._outside = _outside_pids(self.cluster.record.supervisor)

    async def discard(self, state: str) -> None:
        if state in self.kept():
            await asyncio.to_thread(shutil.rmtree, self._states / state)

    @property
    def _data(self) -> Path:
        return self.cluster.state.host(HOST) / "data" / "etcd"

    @property
    def _states(self) -> Path:
        return self.cluster.state.root / "states"

    async def stop(self) -> None:
        """End API server and etcd; they start again with the next state."""
        for component in SERVERS:
            await self.cluster.faults.stop(HOST, component)

    async def _until_ready(self) -> None:
        async with ApiSession(self.access, timeout_s=2.0, read_retries=0) as api:
            with suppress(TimeoutError):
                async with asyncio.timeout(READY_LIMIT_S):
                    while not await _is_ready(api):
                        await asyncio.sleep(POLL_S)
                    return
        raise ClusterError(
            f"the API server is not ready {READY_LIMIT_S:g} s after its state was put back; "
            f"see {self.audit_log.with_name('kube-apiserver.log')}"
        )


async def _is_ready(api: ApiSession) -> bool:
    try:
        return await api.get("/readyz") == b"ok"
    except ApiError:
        return False


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target)


def _outside_pids(supervisor: int) -> dict[str, int]:
    """The servers' process ids as this process sees them, found by their PID namespace."""
    wanted = Path(f"/proc/{supervisor}/ns/pid").stat().st_ino
    found: dict[str, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "ns/pid").stat().st_ino == wanted:
                name = os.fsdecode((folder / "cmdline").read_bytes().split(b"\0", 1)[0]).rpartition("/")[2]
                if name in SERVERS:
                    found[name] = int(folder.name)
    return found
