"""The probe itself, in a process of its own: sends a plan, watches what it writes, and reads it all back at the end.

Nothing leaves it while it measures but the answer to "is it steady?"; the records are written to a file at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..kube.access import Access
from ..kube.connection import Endpoint
from .auditing import Corner, written_name
from .instrument import Commands, serve
from .overhead import CpuMeter
from .plan import KINDS, Plan
from .requests import Outcome, Requests
from .sending import Sender
from .sockets import SocketStore
from .watching import Watcher

SETTLE_S = 0.2
"""From the connections being open to the first request."""
POLL_S = 0.02
WATCH_IDLE_DEADLINES = 2
"""A watch that says nothing for two deadlines, while writes arrive several times in one, is given up."""
WATCH_GRACE_S = 2.0
"""How long after the last write its event may still come."""
READ_BACK_S = 30.0
TIDY_S = 1.5
"""For removing the namespace when the parent is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """What the probe is told. ``records`` is the file for its records (numpy, .npy)."""

    access: Access
    plan: Plan
    records: Path


class Probe:
    """Answers the parent's commands ``start``, ``steady`` and ``stop``."""

    def __init__(self, settings: ProbeSettings) -> None:
        plan, access = settings.plan, settings.access
        headers = access.headers()
        factory = access.socket_factory()
        endpoint = Endpoint.of(plan.server or access.server, access)
        self._settings = settings
        self._sockets = SocketStore(endpoint.new_socket if factory is None else lambda: factory(None))
        self._corner = Corner(endpoint, self._sockets, name=f"idc-probe-{secrets.token_hex(4)}", headers=headers)
        self._sender = Sender(plan, endpoint, self._sockets, self._corner.compose)
        self._watcher = Watcher(
            endpoint,
            self._sockets,
            path=self._corner.path,
            headers=headers,
            idle_s=WATCH_IDLE_DEADLINES * plan.deadline_s,
            latest_version=lambda: self._corner.version(timeout_s=plan.deadline_s),
        )
        self._running: list[asyncio.Task[None]] = []
        self._made = False
        self._meter = CpuMeter.start()

    async def answer(self, command: str, arguments: dict[str, Any]) -> Any:
        match command:
            case "start":
                return await self._start(**arguments)
            case "steady":
                return await self._steady(**arguments)
            case "stop":
                return await self._stop()
        raise ValueError(f"the probe knows no command {command!r}")

    async def tidy(self) -> None:
        """Leave nothing in the cluster, as far as that goes in a moment."""
        for task in self._running:
            task.cancel()
        self._sender.close()
        if self._made:
            with contextlib.suppress(OSError):
                await self._corner.remove(timeout_s=TIDY_S)
        self._sockets.close()

    async def _start(self, *, timeout_s: float) -> dict[str, Any]:
        self._spawn(self._sockets.keep_full())
        self._made = True
        await self._corner.make(timeout_s=timeout_s)
        if self._settings.plan.watch:
            await self._watcher.begin()
            self._spawn(self._watcher.watch_until_cancelled())
        await self._sender.warm_up()
        start_ns = time.monotonic_ns() + int(SETTLE_S * 1e9)
        self._meter = CpuMeter.start()
        self._spawn(self._sender.send_until_cancelled(start_ns=start_ns))
        return {"started_ns": start_ns, "namespace": self._corner.name}

    async def _steady(self, *, for_s: float, after_ns: int, timeout_s: float) -> int:
        """Wait until all requests planned during ``for_s`` after ``after_ns`` succeeded; from when they did."""
        until = time.monotonic() + timeout_s
        while True:
            since_ns = max(self._sender.last_bad_ns, self._sender.start_ns, after_ns)
            if self._sender.settled_ns() - since_ns >= for_s * 1e9:
                return since_ns
            if time.monotonic() > until:
                ago_s = (time.monotonic_ns() - since_ns) / 1e9
                raise TimeoutError(
                    f"wanted {for_s:g} s without a failed request within {timeout_s:.0f} s; the last one failed"
                    f" {ago_s:.1f} s ago"
                )
            await asyncio.sleep(POLL_S)

    async def _stop(self) -> dict[str, Any]:
        ended_ns = time.monotonic_ns()
        self._running[-1].cancel()
        await self._sender.settle()
        requests = self._sender.requests()
        overhead = self._meter.overhead(requests["started_ns"] - requests["planned_ns"])
        acknowledged, unknown = written(requests, Outcome.OK), written(requests, Outcome.UNKNOWN)
        await self._watch_out(acknowledged)
        found = await self._corner.names(timeout_s=READ_BACK_S)
        np.save(self._settings.records, requests)
        summary = {
            "ended_ns": ended_ns,
            "overhead": asdict(overhead),
            "acknowledged": len(acknowledged),
            "lost": sorted(acknowledged - found),
            "unknown": len(unknown),
            "unknown_there": len(unknown & found),
            "watch": self._watched(acknowledged),
            "surprises": self._sender.surprises,
        }
        await self.tidy()
        self._made = False
        return summary

    async def _watch_out(self, acknowledged: set[str]) -> None:
        until = time.monotonic() + WATCH_GRACE_S
        while self._settings.plan.watch and time.monotonic() < until:
            if acknowledged <= self._watcher.arrivals.first_ns.keys():
                return
            await asyncio.sleep(POLL_S)

    def _watched(self, acknowledged: set[str]) -> dict[str, Any] | None:
        arrivals = self._watcher.arrivals
        if not self._settings.plan.watch:
            return None
        return {
            "arrived_ns": {name: arrivals.first_ns[name] for name in acknowledged & arrivals.first_ns.keys()},
            "missing": sorted(acknowledged - arrivals.first_ns.keys()),
            "repeated": sorted(name for name, times in arrivals.times.items() if times > 1),
            "connections": arrivals.connections,
            "relists": arrivals.relists,
        }

    def _spawn(self, work: Any) -> None:
        self._running.append(asyncio.create_task(work))


def written(requests: Requests, outcome: Outcome) -> set[str]:
    """The names that writes with that outcome wrote."""
    writes = requests[(requests["kind"] == KINDS.index("write")) & (requests["outcome"] == outcome)]
    return {written_name(int(number)) for number in writes["number"]}


async def run(settings: ProbeSettings, commands: Commands) -> None:
    probe = Probe(settings)
    try:
        await commands.answer_with(probe.answer)
    finally:
        await probe.tidy()


if __name__ == "__main__":
    serve(run)
