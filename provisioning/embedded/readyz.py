"""Whether etcd and API servers answer, asked from inside; standard library only, as PID 1 has to stay small."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from ..controlplane.endpoint import API_PORT
from ..controlplane.flags import ETCD_METRICS_PORT
from .plan import Plan, PlannedHost

POLL_S = 0.1
ETCD_POLL_S = 0.01
ANSWER_LIMIT_S = 2.0


class Readyz:
    """Asks ``/readyz`` with the administrator's certificate: the anonymous may not before the roles exist."""

    def __init__(self, plan: Plan) -> None:
        self._tls = ssl.create_default_context(cafile=str(plan.ca_file))
        self._tls.load_cert_chain(plan.cert_file, plan.key_file)

    async def wait(self, host: PlannedHost) -> None:
        """Return when the API server of ``host`` is ready. Waits for ever: who waits for the cluster has the limit."""
        while b" 200 " not in await self._status(host.address):
            await asyncio.sleep(POLL_S)

    async def wait_for_any_answer(self, host: PlannedHost) -> None:
        """Return when the API server of ``host`` answers at all: it has been loaded, and fills its storage."""
        while not await self._status(host.address):
            await asyncio.sleep(POLL_S)

    async def wait_for_etcd(self, host: PlannedHost) -> None:
        """Return when the etcd of ``host`` serves its peers; the metrics port is the last that it opens.

        A new member asks each peer in turn who is in the cluster, with a second's patience for each. When all start
        at the same time, all of them listen and none answers yet; when one is ahead, it finds nobody listening and
        goes on, and the others ask it.
        """
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(host.address, ETCD_METRICS_PORT)
                writer.close()
                return
            await asyncio.sleep(ETCD_POLL_S)

    async def _status(self, address: str) -> bytes:
        """The status line of the answer; nothing when there was none."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reader, writer = await asyncio.open_connection(address, API_PORT, ssl=self._tls)
                with contextlib.closing(writer):
                    writer.write(b"GET /readyz HTTP/1.0\r\nHost: kubernetes\r\n\r\n")
                    return await reader.readline()
        except (OSError, TimeoutError):
            return b""
