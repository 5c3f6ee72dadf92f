"""Watches that are given up on suspicion: a server that stands still keeps its connections open, and says nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from idcbench.kube.access import Access
from idcbench.kube.apierror import SILENT, unreachable
from idcbench.kube.session import ApiSession

DOUBT_S = 5.0
"""What is known from elsewhere and was not heard for so long is taken for a sign that the server of the watches stands
still. A wrong guess costs a reconnection, and is made again after as long at the soonest."""
OPEN_S = 10.0
"""An API server answers a watch at once, whether there is news or not."""
STOOD_STILL_S = 3.0
"""When a look comes so much after the one before, it is we who stood still."""

_log = logging.getLogger(__name__)


class DoubtingSession(ApiSession):
    """A session whose streams :meth:`doubt` ends as if they had been silent for too long, and that have to begin soon.

    A watch then goes on from where it was, with the next server.
    """

    def __init__(self, access: Access, *, server: str | Sequence[str] | None = None) -> None:
        super().__init__(access, server=server)
        self._streams: set[aiohttp.StreamReader] = set()

    @asynccontextmanager
    async def stream(
        self, path: str, *, query: Mapping[str, str], idle_s: float
    ) -> AsyncIterator[aiohttp.StreamReader]:  # fmt: skip
        async with AsyncExitStack() as stack:
            opening = super().stream(path, query=query, idle_s=idle_s)
            try:
                async with asyncio.timeout(OPEN_S):
                    stream = await stack.enter_async_context(opening)
            except TimeoutError:
                raise unreachable(
                    self.server, "no watch began in time", path=path, method="GET", reason=SILENT
                ) from None
            self._streams.add(stream)
            stack.callback(self._streams.discard, stream)
            yield stream

    def doubt(self, why: str) -> None:
        """End every stream. What had come and was not read comes again."""
        _log.warning("%s; %d watches go on with another server, if there is one", why, len(self._streams))
        for stream in tuple(self._streams):
            stream.set_exception(aiohttp.SocketTimeoutError(why))


class Vigil:
    """Looks now and then whether the watches tell what is known from elsewhere: our own bindings and the lease.

    ``unheard`` gives, by what it is, since how many seconds something should have been heard (0: nothing is missing).
    """

    def __init__(
        self, session: DoubtingSession, unheard: Mapping[str, Callable[[], float]], *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._session = session
        self._unheard = unheard
        self._clock = clock
        self._looked_s = self._since_s = clock()

    def look(self) -> None:
        """To be called about once a second."""
        now_s = self._clock()
        if now_s - self._looked_s > STOOD_STILL_S:
            self._since_s = now_s
        self._looked_s = now_s
        for what, unheard_s in self._unheard.items():
            missing_s = min(unheard_s(), now_s - self._since_s)
            if missing_s >= DOUBT_S:
                self._since_s = now_s
                self._session.doubt(f"{what} was not heard of by watch for {missing_s:.1f} s")
                return
