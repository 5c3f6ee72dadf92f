"""The clocks of a session's cluster: their offsets before and after the tests, kept in the run."""

from __future__ import annotations

import asyncio
import contextlib

from ..cluster import Cluster
from ..measure.clock_offset import ClockError, Offset, host_offset, server_offsets
from ..runs.directory import Run

DEFINITION = "wall clock of the host minus this machine's, by the exchange with the shortest round trip of some"
ERROR_DEFINITION = "the offset may be off by so much: half of that round trip"


class Clocks:
    """Measures them in the portal's loop: :meth:`begin` before the tests, :meth:`end` after them."""

    def __init__(self, cluster: Cluster, run: Run) -> None:
        self._cluster = cluster
        self._run = run
        self._server: asyncio.Task[None] | None = None
        self.notes: tuple[str, ...] = ()

    async def begin(self) -> None:
        """Ask the hosts; without any, begin to find the API server's tick, for which nobody waits."""
        await self._ask_hosts()
        if not self._cluster.hosts:
            self._server = asyncio.create_task(self._follow_server())

    async def end(self, *, hurried: bool) -> None:
        """Ask the hosts again, unless ``hurried``; what was found of the API server until now stands."""
        if not hurried:
            await self._ask_hosts()
        if self._server is not None:
            self._server.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._server

    async def _ask_hosts(self) -> None:
        for host in self._cluster.hosts:
            try:
                self._keep(await host_offset(host))
            except ClockError as error:
                self._note(str(error))

    async def _follow_server(self) -> None:
        try:
            async for offset in server_offsets(self._cluster.access):
                self._keep(offset)
        except ClockError as error:
            self._note(str(error))

    def _keep(self, offset: Offset) -> None:
        labels = {"host": offset.host}
        self._run.series(
            "measure.clock_offset", unit="ms", better="none", labels=labels, definition=DEFINITION, signed=True
        ).add(offset.offset_ms)
        self._run.series(
            "measure.clock_offset_error", unit="ms", better="lower", labels=labels, definition=ERROR_DEFINITION
        ).add(offset.error_ms)
        if offset.objection:
            self._run.invalidate(offset.objection)
        elif offset.note:
            self._note(offset.note)

    def _note(self, note: str) -> None:
        self.notes = tuple(dict.fromkeys([*self.notes, note]))
