"""The observer itself, in a process of its own: vigils on every member, and what they saw."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any

from ..kube.access import Access
from ..kube.connection import Endpoint
from .instrument import Commands, serve
from .overhead import CpuMeter
from .sockets import SocketStore
from .vigil import Sighting, Subject, Vigil

POLL_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverSettings:
    """Whom to watch, and how to get there."""

    access: Access
    subjects: tuple[Subject, ...]


class Observer:
    """Answers the parent's commands ``wait``, ``sightings`` and ``cost``."""

    def __init__(self, settings: ObserverSettings) -> None:
        factory = settings.access.socket_factory()
        self._sightings: list[Sighting] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stores: list[SocketStore] = []
        self._meter = CpuMeter.start()
        for subject in settings.subjects:
            # held connections to TLS ports stay without TLS: only their end is of interest
            url = subject.url.replace("https:", "tcp:", 1)
            endpoint = Endpoint.of(url, settings.access)
            store = SocketStore(endpoint.new_socket if factory is None else lambda: factory(None), size=2)
            vigil = Vigil(subject, endpoint, store, self._sightings.append)
            self._stores.append(store)
            self._tasks += [asyncio.create_task(store.keep_full()), asyncio.create_task(vigil.watch_until_cancelled())]

    async def answer(self, command: str, arguments: dict[str, Any]) -> Any:
        match command:
            case "wait":
                return await self._wait(**arguments)
            case "sightings":
                return [asdict(sighting) for sighting in self._sightings]
            case "cost":
                return self._meter.cpu_share()
        raise ValueError(f"the observer knows no command {command!r}")

    async def _wait(
        self, *, host: str, component: str, seen: list[str], after_ns: int, timeout_s: float
    ) -> dict[str, Any]:
        """The first sighting that fits, at ``after_ns`` or later."""
        until = time.monotonic() + timeout_s
        while True:
            for sighting in self._sightings:
                it = (sighting.host, sighting.component)
                if it == (host, component) and sighting.at_ns >= after_ns and sighting.seen in seen:
                    return asdict(sighting)
            if time.monotonic() > until:
                raise TimeoutError(f"{component} on {host} was not seen {' or '.join(seen)} within {timeout_s:g} s")
            await asyncio.sleep(POLL_S)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for store in self._stores:
            store.close()


async def run(settings: ObserverSettings, commands: Commands) -> None:
    observer = Observer(settings)
    try:
        await commands.answer_with(observer.answer)
    finally:
        observer.close()


if __name__ == "__main__":
    serve(run)
