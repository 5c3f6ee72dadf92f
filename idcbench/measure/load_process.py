"""An open load's sender, in a process of its own: connections first, then the plan, and its records to a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..kube.access import Access
from ..kube.connection import Endpoint
from .calls import Call, Composer, Http
from .http2 import Http2Composer, Http2Request, Http2Streams
from .instrument import Commands, serve
from .load import connect
from .open_loop import OpenLoop
from .overhead import CpuMeter


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """``plan`` has times, numbers and sorts of this process's requests (numpy, .npz); ``records`` is to be made."""

    access: Access
    server: str
    calls: tuple[Call, ...]
    connections: int
    deadline_s: float
    http: Http
    plan: Path
    records: Path


class LoadProcess:
    """Answers the parent's commands ``open`` and ``run``."""

    def __init__(self, settings: LoadSettings) -> None:
        with np.load(settings.plan) as plan:  # now: reading it amid the load would be a part of what the load costs
            self._plan = plan["planned_ns"], plan["numbers"], plan["calls"]
        self._records = settings.records
        self._loop = open_loop(
            settings.access, settings.calls, server=settings.server, http=settings.http,
            connections=settings.connections, deadline_s=settings.deadline_s,
        )  # fmt: skip

    async def answer(self, command: str, arguments: dict[str, Any]) -> Any:
        match command:
            case "open":
                await self._loop.open()
                return None
            case "run":
                return await self._run(**arguments)
        raise ValueError(f"the load knows no command {command!r}")

    async def _run(self, *, start_ns: int) -> dict[str, Any]:
        meter = CpuMeter.start()
        sent = await self._loop.run(*self._plan, start_ns=start_ns)
        overhead = meter.overhead(sent["started_ns"] - sent["planned_ns"])
        ended_ns = time.monotonic_ns()
        np.save(self._records, sent)
        return {"overhead": asdict(overhead), "ended_ns": ended_ns}

    def close(self) -> None:
        self._loop.close()


def open_loop(
    access: Access, calls: Sequence[Call], *, server: str, http: Http, connections: int, deadline_s: float
) -> OpenLoop[bytes] | OpenLoop[Http2Request]:
    """The sender of ``calls`` by that protocol; ``server`` is that of ``access`` when empty. Raises ``OSError``."""
    endpoint, headers = Endpoint.of(server or access.server, access), access.headers()
    if http == "2":
        streams, composer = Http2Streams(endpoint, access), Http2Composer(calls, endpoint, headers)
        return OpenLoop(streams.connect, connections=connections, deadline_s=deadline_s, compose=composer)
    connecting = partial(connect, endpoint, access)
    compose = Composer(calls, endpoint, headers)
    return OpenLoop(connecting, connections=connections, deadline_s=deadline_s, compose=compose)


async def run(settings: LoadSettings, commands: Commands) -> None:
    process = LoadProcess(settings)
    try:
        await commands.answer_with(process.answer)
    finally:
        process.close()


if __name__ == "__main__":
    serve(run)
