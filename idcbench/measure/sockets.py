"""A store of unconnected sockets of the cluster's network, so that no request waits for the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable

PAUSE_S = 0.2
"""Between tries while the gateway does not answer."""


class SocketStore:
    """Keeps ``size`` sockets ready; :meth:`take` never blocks unless the store ran empty."""

    def __init__(self, make: Callable[[], socket.socket], *, size: int = 32) -> None:
        self._make = make
        self._size = size
        self._ready: deque[socket.socket] = deque()
        self._wanted = asyncio.Event()
        self._wanted.set()

    def take(self) -> socket.socket:
        """An unconnected socket. Raises ``OSError`` when the store is empty and the gateway does not answer."""
        self._wanted.set()
        return self._ready.popleft() if self._ready else self._make()

    async def keep_full(self) -> None:
        """Refill in a thread, as asking the gateway blocks; for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            with contextlib.suppress(OSError):
                while len(self._ready) < self._size:
                    self._ready.append(await asyncio.to_thread(self._make))
            if len(self._ready) < self._size:
                self._wanted.set()
                await asyncio.sleep(PAUSE_S)

    def close(self) -> None:
        while self._ready:
            self._ready.pop().close()
