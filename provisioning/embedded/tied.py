"""A cluster that lives only as long as this process, which may stop it and start it again on its data.

Other processes attach to it meanwhile as to a kept one. Should this process die, the kernel ends the cluster, and the
next command that is given its name finds it abandoned and begins anew.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field

from ...cluster import ClusterSpec
from ...errors import UsageError
from .cluster import EmbeddedCluster
from .launch import Supervised
from .target import EmbeddedTarget, checked, down_command


@dataclass(slots=True)
class TiedCluster:
    """A cluster of ``target`` as ``spec`` says; nothing is there before :meth:`start`, and after :meth:`end`."""

    target: EmbeddedTarget
    spec: ClusterSpec
    _lifelines: list[int] = field(default_factory=list)
    _owning: int | None = None

    def check(self) -> None:
        """Raises :class:`UsageError` when a cluster of that name is there, or such a one cannot be."""
        self.spec = checked(self.spec)
        if self._owning is None and self.target._found() is not None:
            name = self.target.id
            raise UsageError(
                f"cluster {name} is there already, and a comparison makes its own; "
                f"remove it with `{down_command(name)}`, or choose another --name"
            )

    async def start(self) -> EmbeddedCluster:
        """Make the cluster, later start it on its data. Raises as :meth:`idcbench.cluster.Target.cluster` does."""
        self.check()
        target = self.target
        with target.state.locked():
            kept = target._found()
            async with target._started(self.spec, kept, keep=True, hold=self._hold) as cluster:
                return cluster

    async def stop(self) -> None:
        """End it in good order and keep its data. Raises :class:`~idcbench.errors.ClusterError`."""
        await self.target.stop()
        self._let_go()

    async def end(self) -> None:
        """Remove it and its data, in whatever state it is."""
        if self._owning is None:
            return
        await self.target.down()
        self._let_go()
        os.close(self._owning)
        self._owning = None

    def hand_over(self) -> None:
        """Let it live, or lie stopped, without this process."""
        self.target.state.owner_file.unlink(missing_ok=True)
        for lifeline in self._lifelines:
            os.write(lifeline, b"K")

    def _hold(self, supervisor: Supervised) -> None:
        if self._owning is None:
            self._owning = os.open(self.target.state.owner_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._owning, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._lifelines.append(supervisor.lend())

    def _let_go(self) -> None:
        for lifeline in self._lifelines:
            os.close(lifeline)
        self._lifelines.clear()
