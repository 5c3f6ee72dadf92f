"""What a target and a cluster are. Suites know only this; provisioning implements it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from .choices import Profile
from .hosts.completed import Completed
from .kube.access import Access


class Capability(StrEnum):
    """What a cluster can do; a test that needs one that is missing is skipped with that reason."""

    REAL_PODS = "real-pods"
    HOST_FAULTS = "host-faults"
    HOST_POWER = "host-power"
    HOST_LINK = "host-link"
    HA = "ha"
    METRICS = "metrics"
    MANY_NODES = "many-nodes"
    NETWORK_POLICY = "network-policy"


Shape = Literal["full", "bench"]
SchedulerChoice = Literal["kube-scheduler", "idcbench", "both"]
"""Who serves ``default-scheduler``; with ``both`` kube-scheduler does, and idcbench's the name ``idcbench``."""
Link = Literal["up", "no-carrier", "silent"]
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "idcbench-scheduler",
    "haproxy",
    "keepalived",
)
"""The components of a control-plane host, in the order in which they start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """What is asked for. ``kubernetes`` is ``1.37`` or ``1.37.2``; ``nodes`` counts simulated ones.

    ``asked`` names the fields that somebody chose; the others may differ in a cluster that is there already.
    """

    name: str = ""
    control_planes: int = 3
    nodes: int = 50
    kubernetes: str = "1.37"
    profile: Profile = "default"
    shape: Shape = "full"
    scheduler: SchedulerChoice = "kube-scheduler"
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """The timers of a cluster as they are live; the outage bounds follow from them (`provisioning/controlplane`)."""

    vrrp_advert_s: float
    check_inter_ms: int
    check_fast_ms: int
    check_fall: int
    connect_ms: int
    etcd_heartbeat_ms: int
    etcd_election_ms: int
    lease_s: float
    renew_s: float
    retry_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentState:
    """One component on one host as its supervisor sees it; ``waiting`` means: for its restart."""

    host: str
    component: str
    state: Literal["running", "frozen", "stopped", "waiting"]
    pid: int | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A line of the cluster's own timeline: a component started, exited or was restarted, a fault was set or lifted.

    ``at_ns`` is CLOCK_MONOTONIC of this machine. ``asked`` is true when a verb caused it, false when it came by itself.
    """

    at_ns: int
    host: str
    component: str
    what: str
    asked: bool
    exit_code: int | None = None
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What the report says about the cluster; plain values only.

    ``images``: references of images that its hosts have, by what they are (``pause``, ``podtool``, …), for tests' pods.
    ``power_loss``: what a host suffers that is switched off, as reports say it; a lab's loses its processes alone.
    ``ours`` is false for a cluster that idcbench did not make: disruptive tests then need to be allowed by its name.
    """

    target: str
    name: str
    kubernetes: str
    etcd: str
    profile: Profile
    shape: Shape
    control_planes: int
    nodes: int
    provenance: str = ""
    timers: Timers | None = None
    virtual_ip: str = ""
    ready_s: float | None = None
    reused: bool = False
    ours: bool = True
    versions: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    power_loss: str = "power lost"


class Host(Protocol):
    """A host that commands run on."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...

    async def run(self, *argv: str, timeout_s: float = 30.0) -> Completed:
        """Run a command to its end. Raises ``TimeoutError``; a non-zero exit is in the result."""
        ...


class Faults(Protocol):
    """Verbs that break a cluster and mend it (capability ``host-faults``). Each returns when the act is done.

    ``kill`` is a crash, after which the supervisor restarts the component; only what ``stop`` stopped stays down
    until ``start``. An unknown host or component raises :class:`idcbench.errors.UsageError`.
    """

    async def kill(self, host: str, component: str) -> None: ...
    async def stop(self, host: str, component: str) -> None: ...
    async def start(self, host: str, component: str) -> None: ...
    async def restart(self, host: str, component: str) -> None: ...
    async def freeze(self, host: str, component: str) -> None: ...
    async def thaw(self, host: str, component: str) -> None: ...

    async def link(self, host: str, state: Link) -> None:
        """``no-carrier``: the interface loses its link; ``silent``: frames vanish, the carrier stays."""
        ...

    async def limit(self, host: str, bits_per_s: int | None) -> None:
        """Limit what the host sends and receives (TBF); ``None`` lifts it."""
        ...

    async def freeze_host(self, host: str) -> None: ...
    async def thaw_host(self, host: str) -> None: ...
    async def stop_host(self, host: str) -> None: ...
    async def start_host(self, host: str) -> None: ...

    async def components(self) -> Sequence[ComponentState]: ...

    async def happenings(self, *, since_ns: int = 0) -> Sequence[Happening]:
        """What happened after ``since_ns``, oldest first."""
        ...


class Cluster(Protocol):
    """A cluster that answers."""

    @property
    def facts(self) -> ClusterFacts: ...

    @property
    def access(self) -> Access: ...

    @property
    def hosts(self) -> Sequence[Host]: ...

    @property
    def workers(self) -> Sequence[Host]: ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    @property
    def faults(self) -> Faults | None: ...


class Target(Protocol):
    """Where a cluster comes from."""

    @property
    def id(self) -> str:
        """Names the target in the run directory: ``embedded``, ``embedded-NAME``, a cluster's name."""
        ...

    def cluster(self, spec: ClusterSpec, *, keep: bool) -> AbstractAsyncContextManager[Cluster]:
        """Provide the cluster; on leaving, remove it unless ``keep`` or it was there before.

        Raises :class:`idcbench.errors.ClusterError` when none can be provided, :class:`~idcbench.errors.UsageError`
        when the specification does not fit the target or the cluster that is there.
        """
        ...
