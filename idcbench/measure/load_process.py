"""An open load's sender, in a process of its own: connections first, then the plan, and its records to a file."""

from __future__ import annotations

import time
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
        self._settings = settings
        self._loop = _loop(settings)

    async def answer(self, command: str, arguments: dict[str, Any]) -> Any:
        match command:
            case "open":
                await self._loop.open()
                return None
            case "run":
                return await self._run(**arguments)
        raise ValueError(f"the load knows no command {command!r}")

    async def _run(self, *, start_ns: int) -> dict[str, Any]:
        with np.load(self._settings.plan) as plan:
            planned, numbers, calls = plan["planned_ns"], plan["numbers"], plan["calls"]
        meter = CpuMeter.start()
        sent = await self._loop.run(planned, numbers, calls, start_ns=start_ns)
        overhead = meter.overhead(sent["started_ns"] - sent["planned_ns"])
        ended_ns = time.monotonic_ns()
        np.save(self._settings.records, sent)
        return {"overhead": asdict(overhead), "ended_ns": ended_ns}

    def close(self) -> None:
        self._loop.close()


def _loop(settings: LoadSettings) -> OpenLoop[bytes] | OpenLoop[Http2Request]:
    endpoint = Endpoint.of(settings.server or settings.access.server, settings.access)
    headers, size, deadline_s = settings.access.headers(), settings.connections, settings.deadline_s
    if settings.http == "2":
        streams = Http2Streams(endpoint, settings.access)
        return OpenLoop(
            streams.connect, connections=size, deadline_s=deadline_s,
            compose=Http2Composer(settings.calls, endpoint, headers),
        )  # fmt: skip
    return OpenLoop(
        partial(connect, endpoint, settings.access), connections=size, deadline_s=deadline_s,
        compose=Composer(settings.calls, endpoint, headers),
    )  # fmt: skip


async def run(settings: LoadSettings, commands: Commands) -> None:
    process = LoadProcess(settings)
    try:
        await commands.answer_with(process.answer)
    finally:
        process.close()


if __name__ == "__main__":
    serve(run)
