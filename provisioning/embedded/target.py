"""The target ``embedded``: from a specification to a cluster that is ready, to one that was kept, and to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from dataclasses import replace as altered
from pathlib import Path

from msgspec.structs import replace

from ...cluster import ClusterSpec
from ...errors import ClusterError, UsageError
from ...progress import Progress, silent
from ..artifacts import Binaries, SourceOptions, provide
from . import own_scheduler, prerequisites
from .blueprint import host_names, write_blueprint
from .cluster import EmbeddedCluster, access_of
from .control import ask
from .launch import Supervised, end_supervisor, relay_listener, start_supervisor, wait_for_end
from .layout import Record, StateDirectory
from .leaving import release_lease
from .readiness import until_ready

Hold = Callable[[Supervised], object]
MOST_NODES = 1000
"""With heartbeats; leases of more would outlast any test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedTarget:
    """A cluster by the name ``name`` on this machine; the empty name is the default one."""

    name: str = ""
    sources: SourceOptions = field(default_factory=SourceOptions)
    progress: Progress = silent

    @property
    def id(self) -> str:
        return f"embedded-{self.name}" if self.name else "embedded"

    @property
    def state(self) -> StateDirectory:
        return StateDirectory.of(self.id)

    @contextlib.asynccontextmanager
    async def cluster(self, spec: ClusterSpec, *, keep: bool) -> AsyncIterator[EmbeddedCluster]:
        """As :meth:`idcbench.cluster.Target.cluster` says; this cluster is nobody else's to change meanwhile."""
        spec = checked(spec)
        with self.state.locked():
            if (found := self._found()) is not None:
                check_same(found.spec, spec, self.id)
                spec = found.spec
                if self.state.is_alive():
                    yield EmbeddedCluster(self.state, found, reused=True)
                    return
            async with self._started(spec, found, keep=keep) as cluster:
                yield cluster

    @contextlib.asynccontextmanager
    async def _started(
        self, spec: ClusterSpec, kept: Record | None, *, keep: bool, hold: Hold = Supervised.hand_over
    ) -> AsyncIterator[EmbeddedCluster]:
        """Start a cluster, from its data when it was ``kept``; nothing is left when that fails or it is not to stay.

        One that is to stay goes to ``hold``: by default it is handed over, to live without us.
        """
        prerequisites.check()
        record = kept if kept and _has_binaries(kept) else await self._new_record(spec, kept)
        if kept is None:
            self._clear()
        self.state.create()
        try:
            prerequisites.check_space(self.state.root, members=spec.control_planes)
            await own_scheduler.prepare(spec, progress=self.progress)
            record, supervisor, started_s = self._launched(record)
            with supervisor:
                access = access_of(self.state, record)
                milestones = await until_ready(self.state, spec, access, started_s=started_s, progress=self.progress)
                record = replace(record, milestones=milestones, kept=record.kept or keep)
                self.state.write_record(record)
                if record.kept:
                    hold(supervisor)
                self.progress("")
                yield EmbeddedCluster(self.state, record)
        finally:
            if not record.kept:
                self.state.remove()

    async def _new_record(self, spec: ClusterSpec, kept: Record | None) -> Record:
        """What is to be made, with its programs found; a kept cluster stays at the very version that it has."""
        found = await self._provided(kept.kubernetes if kept else spec.kubernetes)
        return Record(
            spec=spec,
            kept=kept is not None,
            binaries=str(found.folder),
            kubernetes=found.kubernetes,
            etcd=found.etcd,
            provenance=found.provenance,
            versions={"kubernetes": found.kubernetes, "etcd": found.etcd, "kwok": found.kwok}
            | own_scheduler.version(spec),
            digests=found.digests,
            relay_port=kept.relay_port if kept else 0,
        )

    async def _provided(self, version: str) -> Binaries:
        """The programs; when this is cancelled, so is a download or a build, at its next word of progress."""
        cancelled = threading.Event()

        def say(what: str, *, done: float = 0, total: float | None = None, unit: str = "") -> None:
            if cancelled.is_set():
                raise InterruptedError
            self.progress(what, done=done, total=total, unit=unit)

        try:
            return await asyncio.to_thread(provide, version, options=self.sources, progress=say)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def _launched(self, record: Record) -> tuple[Record, Supervised, float]:
        started_s = time.monotonic()
        with relay_listener(record.relay_port) as relay:
            port = relay.getsockname()[1]
            write_blueprint(self.state, record.spec, binaries=Path(record.binaries), relay_port=port)
            self.state.write_record(record)
            supervisor = start_supervisor(self.state, relay=relay)
        record = replace(record, supervisor=supervisor.pid, relay_port=port)
        self.state.write_record(record)
        return record, supervisor, started_s

    async def stop(self) -> None:
        """End the cluster in good order and keep its data. Raises :class:`ClusterError` when there is none."""
        with self.state.locked():
            record = self._kept_record()
            if not self.state.is_alive():
                raise ClusterError(f"cluster {self.id} is stopped already; `idcbench start` starts it")
            self.progress("stopping every component")
            await release_lease(self.state, access_of(self.state, record), hosts=host_names(record.spec))
            await ask(self.state.control, "shutdown")
            await asyncio.to_thread(wait_for_end, record.supervisor)
            self.progress("")

    async def start(self) -> EmbeddedCluster:
        """Start a stopped cluster from its data. Raises :class:`ClusterError` when there is none."""
        spec = self._kept_record().spec
        async with self.cluster(spec, keep=True) as cluster:
            return cluster

    def attach(self) -> EmbeddedCluster:
        """The cluster as it is, without a lock. Raises :class:`ClusterError` when it is not up."""
        record = self._kept_record()
        if not self.state.is_alive():
            raise ClusterError(f"cluster {self.id} is stopped; `idcbench start` starts it")
        return EmbeddedCluster(self.state, record, reused=True)

    async def down(self) -> bool:
        """Remove the cluster and all its data; gives whether there was one."""
        with self.state.locked():
            there = self.state.root.exists()
            await asyncio.to_thread(self._clear)
        return there

    def _found(self) -> Record | None:
        """The cluster that is there to be used or started; none that was left by whoever it was to live with."""
        record = self.state.read_record()
        return record if record is not None and record.kept and not self.state.is_abandoned() else None

    def _kept_record(self) -> Record:
        record = self._found()
        if record is None:
            raise ClusterError(f"there is no cluster {self.id}; `idcbench up` makes one")
        return record

    def _clear(self) -> None:
        """Remove what an earlier cluster left, its processes first."""
        end_supervisor(self.state)
        self.state.remove()


def checked(spec: ClusterSpec) -> ClusterSpec:
    """The specification as this target does it. Raises :class:`UsageError` for what it cannot do."""
    if spec.shape == "bench":
        if "control_planes" in spec.asked and spec.control_planes != 1:
            raise UsageError("--shape bench has one etcd and one API server; leave --control-planes out")
        if spec.scheduler != "kube-scheduler":
            raise UsageError("--shape bench has no scheduler; leave --scheduler out")
        return altered(spec, control_planes=1)
    if spec.nodes > MOST_NODES:
        raise UsageError(
            f"--nodes {spec.nodes}: at most {MOST_NODES} simulated nodes can send heartbeats here; "
            "for more, as plain objects, use --shape bench"
        )
    return spec


def down_command(target_id: str) -> str:
    """What to type to remove the cluster of that id."""
    _, named, name = target_id.partition("-")
    return f"idcbench down --name {name}" if named else "idcbench down"


def check_same(there: ClusterSpec, wanted: ClusterSpec, name: str) -> None:
    """Raise :class:`UsageError` when an option that somebody gave differs from the cluster that is there."""
    for name_of in ("control_planes", "nodes", "kubernetes", "profile", "shape", "scheduler"):
        found, asked = getattr(there, name_of), getattr(wanted, name_of)
        if name_of in wanted.asked and found != asked:
            option = name_of.replace("_", "-")
            raise UsageError(
                f"cluster {name} is there with --{option} {found}, not {asked}; "
                "leave that option out, choose another cluster with --name, or remove this one with "
                f"`{down_command(name)}`"
            )


def _has_binaries(record: Record) -> bool:
    return all((Path(record.binaries) / name).exists() for name in ("kube-apiserver", "etcd", "kwok"))
