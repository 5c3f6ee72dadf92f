"""The cluster in an xdist worker: the controller's, by way of its desk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

from ..cluster import Capability, ClusterFacts, Faults, Host
from ..hosts.completed import Completed
from ..kube.access import Access
from ..runs.directory import Run
from .desk import Opened, ask
from .owner import Provided
from .portal import Portal


class Guest:
    """Asks for the cluster; never takes it down."""

    def __init__(self, desk: Path, *, portal: Portal) -> None:
        self._desk = desk
        self._portal = portal
        self._provided: Provided | None = None

    def provide(self) -> Provided:
        """The cluster and the run. Raises :class:`IdcError` when the controller has none to give."""
        if self._provided is None:
            opened: Opened = self._portal.call(ask(self._desk, "open"))
            self._provided = Provided(GuestCluster(self._desk, opened), Run(opened.run))
        return self._provided


class GuestCluster:
    """A :class:`~idcbench.cluster.Cluster`. Clients reach it themselves; hosts and faults are the controller's."""

    def __init__(self, desk: Path, opened: Opened) -> None:
        self._opened = opened
        self._hosts = tuple(GuestHost(desk, name, address) for name, address in opened.hosts)
        self._workers = tuple(GuestHost(desk, name, address) for name, address in opened.workers)
        self._faults = cast(Faults, GuestFaults(desk)) if opened.breakable else None

    @property
    def facts(self) -> ClusterFacts:
        return self._opened.facts

    @property
    def access(self) -> Access:
        return self._opened.access

    @property
    def hosts(self) -> Sequence[Host]:
        return self._hosts

    @property
    def workers(self) -> Sequence[Host]:
        return self._workers

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._opened.capabilities

    @property
    def faults(self) -> Faults | None:
        return self._faults


class GuestHost:
    """A :class:`~idcbench.cluster.Host`."""

    def __init__(self, desk: Path, name: str, address: str) -> None:
        self._desk = desk
        self._name = name
        self._address = address

    @property
    def name(self) -> str:
        return self._name

    @property
    def address(self) -> str:
        return self._address

    async def run(self, *argv: str, timeout_s: float = 30.0) -> Completed:
        completed: Completed = await ask(self._desk, "run", self.name, *argv, timeout_s=timeout_s)
        return completed


class GuestFaults:
    """:class:`~idcbench.cluster.Faults`, each verb of which is asked for at the desk."""

    def __init__(self, desk: Path) -> None:
        self._desk = desk

    def __getattr__(self, verb: str) -> Callable[..., Awaitable[Any]]:
        async def asked(*args: Any, **options: Any) -> Any:
            return await ask(self._desk, verb, *args, **options)

        return asked
