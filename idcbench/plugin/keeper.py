"""Holds a cluster open between the first test that needs it and the end of the session."""

from __future__ import annotations

import asyncio

from ..cluster import Cluster, ClusterSpec, Target


class Keeper:
    """Enters and leaves the target's context manager in one task, as its cancel scopes demand.

    :meth:`opened` may be awaited any number of times and by any number of tasks: the cluster is brought up once, and
    a failure is raised to each of them. :meth:`close` leaves it, or cancels the bringing up.
    """

    def __init__(self, target: Target, spec: ClusterSpec, *, keep: bool) -> None:
        self._target = target
        self._spec = spec
        self._keep = keep
        self._holding: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Cluster] | None = None
        self._leave = asyncio.Event()

    async def opened(self) -> Cluster:
        """The cluster. Raises what the target raises."""
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
            self._holding = asyncio.create_task(self._hold(self._ready), name="idcbench-cluster")
        return await asyncio.shield(self._ready)

    async def close(self) -> None:
        """Leave the cluster. Raises what the target raises then."""
        if self._holding is None or self._ready is None:
            return
        self._leave.set()
        if not self._ready.done():
            self._holding.cancel()
        await asyncio.gather(self._holding, return_exceptions=self._holding.cancelling() > 0)

    async def _hold(self, ready: asyncio.Future[Cluster]) -> None:
        try:
            async with self._target.cluster(self._spec, keep=self._keep) as cluster:
                ready.set_result(cluster)
                await self._leave.wait()
        except BaseException as error:
            if ready.done():
                raise
            if isinstance(error, asyncio.CancelledError):
                ready.cancel()
                raise
            ready.set_exception(error)
            ready.exception()  # seen: whoever awaits it raises it again
