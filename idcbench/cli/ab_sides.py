"""The clusters of alternating runs: one for each side, of which one runs at a time, or one that is switched."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol

from ..cluster import Cluster
from ..errors import IdcError
from ..options import Settings
from ..progress import Progress
from ..provisioning.embedded.cluster import EmbeddedCluster
from ..provisioning.embedded.target import EmbeddedTarget
from ..provisioning.embedded.tied import TiedCluster
from ..provisioning.targets import find_target
from ..runs.abplan import SIDES, Ab

COMPONENT = {"kube-scheduler": "kube-scheduler", "idcbench": "idcbench-scheduler"}
DEFAULT_NAME = "ab"


class Sides(Protocol):
    """What rounds of both sides are made on. ``settings`` are those of a session of each side."""

    settings: tuple[Settings, Settings]

    def check(self) -> None:
        """Raises :class:`IdcError` when they cannot be made; nothing was started then."""
        ...

    def turn_to(self, side: int) -> Cluster:
        """Make the cluster of a side run, and no other."""
        ...

    def end(self, *, keep: bool) -> None:
        """Remove what was made, or leave it as it is."""
        ...

    @property
    def described(self) -> str: ...


def sides_of(ab: Ab, asked: Settings, *, progress: Progress) -> Sides:
    """The sides of an embedded target."""
    base = asked.name or DEFAULT_NAME
    if ab.in_place:
        return SwitchedCluster(ab, replace(asked, name=base), progress=progress)
    return OwnClusters(ab, replace(asked, name=base), progress=progress)


class OwnClusters:
    """A cluster for each side; the one that is not being measured is stopped, and keeps its data."""

    def __init__(self, ab: Ab, asked: Settings, *, progress: Progress) -> None:
        self.settings = _side(ab, asked, 0), _side(ab, asked, 1)
        self._ab = ab
        self._clusters = tuple(_tied(settings, progress) for settings in self.settings)
        self._running: tuple[int, EmbeddedCluster] | None = None

    @property
    def described(self) -> str:
        names = " and ".join(cluster.target.id for cluster in self._clusters)
        return f"{names}; only the one being measured runs, the other is stopped and keeps its data"

    def check(self) -> None:
        for cluster in self._clusters:
            cluster.check()

    def turn_to(self, side: int) -> Cluster:
        if self._running is not None:
            at, cluster = self._running
            if at == side:
                return cluster
            self._running = None
            asyncio.run(self._clusters[at].stop())
        try:
            cluster = asyncio.run(self._clusters[side].start())
        except IdcError as error:
            error.args = (f"{self._ab.key}={self._ab.texts[side]}: {error}",)
            raise
        self._running = side, cluster
        return cluster

    def end(self, *, keep: bool) -> None:
        for cluster in self._clusters:
            _leave(cluster, keep=keep)


class SwitchedCluster:
    """One cluster on whose hosts both schedulers are installed, and one of them runs."""

    def __init__(self, ab: Ab, asked: Settings, *, progress: Progress) -> None:
        self.settings = _switched(ab, asked, 0), _switched(ab, asked, 1)
        self._values: tuple[str, str] = ab.values
        self._tied = _tied(replace(asked, scheduler="idcbench"), progress)
        self._running: tuple[str, EmbeddedCluster] | None = None

    @property
    def described(self) -> str:
        return f"{self._tied.target.id}, which is switched in place"

    def check(self) -> None:
        self._tied.check()

    def turn_to(self, side: int) -> Cluster:
        if self._running is None:
            self._running = "idcbench", asyncio.run(self._tied.start())
        former, cluster = self._running
        wanted = self._values[side]
        if wanted != former:
            asyncio.run(_exchange(cluster, COMPONENT[former], COMPONENT[wanted]))
            self._running = wanted, cluster
        return cluster

    def end(self, *, keep: bool) -> None:
        _leave(self._tied, keep=keep)


async def _exchange(cluster: EmbeddedCluster, former: str, wanted: str) -> None:
    """On every host stop one component, which gives up its lease, then start the other."""
    hosts = [host.name for host in cluster.hosts]
    await asyncio.gather(*(cluster.faults.stop(host, former) for host in hosts))
    await asyncio.gather(*(cluster.faults.start(host, wanted) for host in hosts))


def _leave(cluster: TiedCluster, *, keep: bool) -> None:
    if keep:
        cluster.hand_over()
    else:
        asyncio.run(cluster.end())


def _side(ab: Ab, asked: Settings, side: int) -> Settings:
    changed = replace(asked, name=f"{asked.name}-{SIDES[side]}", **{ab.dest: ab.values[side]})
    return replace(changed, keep=True, given=asked.given | {"name", "keep", ab.dest})


def _switched(ab: Ab, asked: Settings, side: int) -> Settings:
    """A session is not to ask the cluster for a scheduler: it has both."""
    return replace(asked, scheduler=ab.values[side], keep=True, given=asked.given - {"scheduler"} | {"name", "keep"})


def _tied(settings: Settings, progress: Progress) -> TiedCluster:
    target = find_target("embedded", options=settings.target_options(), progress=progress)
    assert isinstance(target, EmbeddedTarget)
    return TiedCluster(target, settings.spec())
