"""The cluster as tests see it: the same Protocols as in ``idcbench.cluster``, without ``await``."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from ..cluster import (
    Capability,
    Cluster,
    ClusterFacts,
    ComponentState,
    Faults,
    Happening,
    Host,
    Link,
)
from ..errors import UsageError
from ..hosts.completed import Completed
from ..kube.access import Access
from .portal import Portal

T = TypeVar("T")
FAULT_LIMIT_S = 120.0
"""No verb takes longer: starting a host again waits for its components, each with limits of its own."""


class OnFault(Protocol):
    """Told of each verb before it acts, with its host and component (empty: the whole host); may refuse it."""

    def __call__(self, verb: str, host: str, component: str) -> None: ...


class LiveHost:
    """A control-plane host that commands run on."""

    def __init__(self, host: Host, portal: Portal) -> None:
        self._host = host
        self._portal = portal

    def __repr__(self) -> str:
        return f"<host {self.name} {self.address}>"

    @property
    def name(self) -> str:
        return self._host.name

    @property
    def address(self) -> str:
        return self._host.address

    def run(self, *argv: str, timeout_s: float = 30.0) -> Completed:
        """Run a command to its end. Raises ``TimeoutError``; a non-zero exit is in the result."""
        return self._portal.call(self._host.run(*argv, timeout_s=timeout_s), timeout_s=timeout_s + 5.0)


class LiveFaults:
    """Verbs that break the cluster and mend it, each returning when the act is done (`idcbench.cluster.Faults`).

    Each call goes into the run's timeline and tells the watchdog which exits it explains. Only tests marked
    ``idc_disruptive`` may call them, others get :class:`idcbench.errors.UsageError`.
    """

    def __init__(self, faults: Faults, portal: Portal, on_fault: OnFault) -> None:
        self._faults = faults
        self._portal = portal
        self._on_fault = on_fault

    def kill(self, host: str, component: str) -> None:
        """Crash it; its supervisor restarts it."""
        self._act("kill", self._faults.kill, host, component)

    def stop(self, host: str, component: str) -> None:
        """Stop it; it stays down until :meth:`start`."""
        self._act("stop", self._faults.stop, host, component)

    def start(self, host: str, component: str) -> None:
        """Start what was stopped."""
        self._act("start", self._faults.start, host, component)

    def restart(self, host: str, component: str) -> None:
        """Stop and start it."""
        self._act("restart", self._faults.restart, host, component)

    def freeze(self, host: str, component: str) -> None:
        """Suspend its processes; sockets stay open."""
        self._act("freeze", self._faults.freeze, host, component)

    def thaw(self, host: str, component: str) -> None:
        """Let what was frozen go on."""
        self._act("thaw", self._faults.thaw, host, component)

    def link(self, host: str, state: Link) -> None:
        """Set the host's link: ``up``, ``no-carrier``, or ``silent`` (frames vanish, the carrier stays)."""
        self._tell("link-up" if state == "up" else f"link-{state}", host, "")
        self._call(self._faults.link(host, state))

    def limit(self, host: str, bits_per_s: int | None) -> None:
        """Limit what the host sends and receives; ``None`` lifts it."""
        self._tell("unlimit" if bits_per_s is None else "limit", host, "")
        self._call(self._faults.limit(host, bits_per_s))

    def freeze_host(self, host: str) -> None:
        """Suspend all processes of the host."""
        self._act("freeze-host", self._faults.freeze_host, host)

    def thaw_host(self, host: str) -> None:
        """Let a frozen host go on."""
        self._act("thaw-host", self._faults.thaw_host, host)

    def stop_host(self, host: str) -> None:
        """Take the host's power; it stays down until :meth:`start_host`."""
        self._act("stop-host", self._faults.stop_host, host)

    def start_host(self, host: str) -> None:
        """Start a stopped host."""
        self._act("start-host", self._faults.start_host, host)

    def components(self) -> Sequence[ComponentState]:
        """Every component of every host as its supervisor sees it."""
        return self._call(self._faults.components())

    def happenings(self, *, since_ns: int = 0) -> Sequence[Happening]:
        """What happened after ``since_ns`` (CLOCK_MONOTONIC), oldest first."""
        return self._call(self._faults.happenings(since_ns=since_ns))

    def _act(self, verb: str, act: Callable[..., Coroutine[Any, Any, None]], host: str, component: str = "") -> None:
        self._tell(verb, host, component)
        self._call(act(host, component) if component else act(host))

    def _tell(self, verb: str, host: str, component: str) -> None:
        self._on_fault(verb, host, component)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return self._portal.call(work, timeout_s=FAULT_LIMIT_S)


class LiveCluster:
    """The cluster of the session; ``idc_cluster`` gives it."""

    def __init__(self, cluster: Cluster, portal: Portal, on_fault: OnFault) -> None:
        self._cluster = cluster
        self.portal = portal
        """The event loop of the fixtures: ``portal.call(coroutine)`` for who wants the asynchronous API."""
        self.hosts = tuple(LiveHost(host, portal) for host in cluster.hosts)
        self.workers = tuple(LiveHost(host, portal) for host in cluster.workers)
        """Hosts that are nodes only; none where nodes are simulated or out of reach."""
        self._faults = LiveFaults(cluster.faults, portal, on_fault) if cluster.faults is not None else None

    def __repr__(self) -> str:
        return f"<cluster {self.facts.target} {self.facts.name} {self.access.server}>"

    @property
    def facts(self) -> ClusterFacts:
        return self._cluster.facts

    @property
    def access(self) -> Access:
        return self._cluster.access

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._cluster.capabilities

    @property
    def faults(self) -> LiveFaults:
        """Verbs that break the cluster. Raises :class:`UsageError` when it cannot be broken."""
        if self._faults is None:
            raise UsageError(
                f"cluster {self.facts.name}: faults are wanted, but its hosts are out of reach; "
                "mark the test idc(needs=['host-faults']), so that it is skipped here"
            )
        return self._faults

    @property
    def breakable(self) -> bool:
        """Whether :attr:`faults` is there."""
        return self._faults is not None
