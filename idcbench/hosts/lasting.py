"""A host for as long as somebody may want it: connected when it is asked for, and anew when its connection ended."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from .completed import Completed
from .failure import NotStartedError
from .fleet import fleet
from .inventory import HostEntry, Inventory
from .ssh import SshHost


@dataclass(slots=True, kw_only=True)
class LastingHost:
    """Outlives its connections: a host that was off is reached again by the first command after it is back.

    A command is never given twice, so one during which the connection ends fails. For one event loop; :meth:`close` it.
    """

    inventory: Inventory
    entry: HostEntry
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _host: SshHost | None = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def address(self) -> str:
        """The one that the cluster uses."""
        return self.entry.node_address

    async def run(self, *argv: str, timeout_s: float = 30.0, content: bytes = b"") -> Completed:
        """Run a command as root to its end. Raises ``TimeoutError`` and :class:`~.failure.HostError`."""
        try:
            return await (await self.connected()).run(*argv, timeout_s=timeout_s, content=content)
        except NotStartedError:  # the connection is of before the host was off, and nobody had noticed
            await self.close()
            return await (await self.connected()).run(*argv, timeout_s=timeout_s, content=content)

    async def connected(self) -> SshHost:
        """The host with a connection that is open as far as is known. Raises :class:`~.failure.HostError`."""
        async with self._connecting:
            if self._host is None or self._host.connection.is_closed():
                await self.close()
                reached = await self._stack.enter_async_context(fleet(self.inventory, only=[self.name]))
                if error := reached.unreached.get(self.name):
                    await self.close()
                    raise error
                self._host = reached[self.name]
            return self._host

    async def close(self) -> None:
        """End the connection, if there is one."""
        self._host = None
        await self._stack.aclose()
