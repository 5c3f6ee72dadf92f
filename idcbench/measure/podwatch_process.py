"""The watch on pods, in a process of its own: every step of every pod, stamped when it arrived.

What arrives is stamped and laid aside; it is decoded when somebody asks, many at once, which costs a fraction of what
decoding one by one would amid a measurement.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import numpy as np
from msgspec import Struct

from ..kube.access import Access
from ..kube.connection import Endpoint, Response
from ..kube.lines import Lines
from ..kube.objects import Condition, ObjectMeta, PodSpec
from .beat import Beat
from .instrument import Commands, serve
from .load import connect
from .overhead import CpuMeter

STEPS = ("seen", "scheduled", "initialized", "containers_ready", "running", "ready", "going", "gone")
"""``scheduled``: a node is named; ``running``: the phase; ``going``: somebody asked for its deletion; the others are
conditions of the pod's status, and the first and the last event of all."""
STAMPS = ("created", "scheduled", "started", "ready")
"""What the servers themselves wrote, in whole seconds of their wall clocks; ``started`` is its last container's."""
STREAM_S = 3600
BEAT_NS = 100_000_000
"""Three thousand a standard load; each costs a wake-up, which is what such a process mostly spends."""
LOOK_S = 0.05
"""Between two looks at what has arrived, while somebody waits for it; nothing is stamped by that."""
_CONDITIONS = {"Initialized": "initialized", "ContainersReady": "containers_ready", "Ready": "ready"}
_REVISION = "pod-template-hash"


class _Running(Struct, frozen=True, gc=False, rename="camel"):
    started_at: str | None = None


class _State(Struct, frozen=True, gc=False):
    running: _Running | None = None


class _Container(Struct, frozen=True, gc=False):
    state: _State = _State()


class _Status(Struct, frozen=True, gc=False, rename="camel"):
    phase: str = ""
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[_Container, ...] | None = None


class StartingPod(Struct, frozen=True, gc=False):
    """A pod as far as its start is told in it."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: _Status = _Status()


class _Told(Struct, frozen=True):
    type: str
    object: StartingPod


class _Listed(Struct, frozen=True):
    metadata: ObjectMeta


_told, _listed = msgspec.json.Decoder(_Told), msgspec.json.Decoder(_Listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodWatchSettings:
    """Pods of ``path``, those that ``query`` selects; ``records`` (numpy, .npz) is to be made."""

    access: Access
    path: str
    query: dict[str, str]
    records: Path


class Steps:
    """When each pod took each step first, as its events arrived. A step that never came has time 0."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(STEPS, 0)
        self._rows: dict[str, list[int]] = {}
        self._server: dict[str, list[int]] = {}
        self._revisions: dict[str, str] = {}

    def take(self, change: str, pod: StartingPod, received_ns: int) -> None:
        """An event: ADDED, MODIFIED or DELETED."""
        name = pod.metadata.name
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = [0] * len(STEPS)
            self._server[name] = [_seconds(pod.metadata.creation_timestamp), 0, 0, 0]
            self._revisions[name] = (pod.metadata.labels or {}).get(_REVISION, "")
        for step in _taken(change, pod):
            at = STEPS.index(step)
            if not row[at]:
                row[at] = received_ns
                self.counts[step] += 1
                if step == "ready":
                    self._server[name] = _stamps(pod)

    def arrays(self) -> dict[str, Any]:
        """``names``, ``revisions`` (n), ``steps_ns`` (n × steps) and ``server_s`` (n × stamps)."""
        return {
            "names": np.array([*self._rows], dtype=np.str_),
            "revisions": np.array([*self._revisions.values()], dtype=np.str_),
            "steps_ns": np.array([*self._rows.values()], dtype=np.int64).reshape(-1, len(STEPS)),
            "server_s": np.array([*self._server.values()], dtype=np.int64).reshape(-1, len(STAMPS)),
        }


class PodWatch:
    """Answers the parent's commands ``open``, ``count`` and ``end``."""

    def __init__(self, settings: PodWatchSettings) -> None:
        self._settings = settings
        self._endpoint = Endpoint.of(settings.access.server, settings.access)
        self._steps = Steps()
        self._lines = Lines()
        self._pieces: list[tuple[int, bytes]] = []
        self._version = ""
        self._watching: asyncio.Task[None] | None = None
        self._meter = CpuMeter.start()
        self._beat = Beat(BEAT_NS)

    async def answer(self, command: str, arguments: dict[str, Any]) -> Any:
        match command:
            case "open":
                return await self._open()
            case "count":
                return await self._count(**arguments)
            case "end":
                return self._end()
        raise ValueError(f"the watch on pods knows no command {command!r}")

    async def _open(self) -> None:
        """Begin from the version of now: what is there already is no news, and every later change is told."""
        listed = await self._read({"limit": "1"})
        self._version = _listed.decode(listed.body).metadata.resource_version
        self._watching = asyncio.create_task(self._watch())
        self._meter = CpuMeter.start()
        self._beat.start()

    async def _watch(self) -> None:
        """One stream after the other, each until the server ends it. Any refusal or broken connection is an error."""
        while True:
            self._lines = Lines()
            asked = {"watch": "1", "allowWatchBookmarks": "1", "timeoutSeconds": str(STREAM_S)}
            await self._read(asked | {"resourceVersion": self._version}, on_body=self._heard)
            self._decode()

    async def _read(self, asked: dict[str, str], *, on_body: Callable[[bytes], object] | None = None) -> Response:
        """Read the pods on a connection of its own, by the lean client: aiohttp's import alone takes 0.2 s."""
        query, headers = urlencode(self._settings.query | asked), self._settings.access.headers()
        request = self._endpoint.request("GET", f"{self._settings.path}?{query}", headers=headers)
        connection = await connect(self._endpoint, self._settings.access)
        try:
            response = await connection.exchange(request, on_body=on_body)
        finally:
            connection.abort()
        if response.status != 200:
            raise ConnectionError(f"GET {self._settings.path}?{query} was refused with {response.status}")
        return response

    def _heard(self, piece: bytes) -> None:
        self._pieces.append((time.monotonic_ns(), piece))

    def _decode(self) -> None:
        pieces, self._pieces = self._pieces, []
        for received_ns, piece in pieces:
            for line in self._lines.feed(piece):
                told = _told.decode(line)
                if told.type == "ERROR":
                    raise ConnectionError(f"the watch on {self._settings.path} ended: {line[:300]!r}")
                self._version = told.object.metadata.resource_version
                if told.type != "BOOKMARK":
                    self._steps.take(told.type, told.object, received_ns)

    async def _count(self, *, step: str, at_least: int, within_s: float) -> int:
        """How many have taken ``step``, as soon as it is ``at_least`` so many or ``within_s`` are over."""
        until = time.monotonic() + within_s
        while True:
            if self._watching is not None and self._watching.done():
                self._watching.result()  # raises what ended it
            self._decode()
            count = self._steps.counts[step]
            if count >= at_least or time.monotonic() >= until:
                return count
            await asyncio.sleep(LOOK_S)

    def _end(self) -> dict[str, Any]:
        self._decode()
        late = self._beat.late
        overhead = self._meter.overhead(late[:, 1])
        np.savez(self._settings.records, **self._steps.arrays(), late=late)
        return asdict(overhead)

    async def close(self) -> None:
        self._beat.close()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])


def _taken(change: str, pod: StartingPod) -> list[str]:
    if change == "DELETED":
        return ["seen", "going", "gone"]
    taken = ["seen"]
    if pod.spec.node_name:
        taken.append("scheduled")
    taken += [
        _CONDITIONS[one.type] for one in pod.status.conditions or () if one.status == "True" and one.type in _CONDITIONS
    ]
    if pod.status.phase == "Running":
        taken.append("running")
    if pod.metadata.deletion_timestamp is not None:
        taken.append("going")
    return taken


def _stamps(pod: StartingPod) -> list[int]:
    when = {one.type: _seconds(one.last_transition_time) for one in pod.status.conditions or ()}
    running = [one.state.running for one in pod.status.container_statuses or ()]
    started = max((_seconds(one.started_at) for one in running if one is not None), default=0)
    created = _seconds(pod.metadata.creation_timestamp)
    return [created, when.get("PodScheduled", 0), started, when.get("Ready", 0)]


def _seconds(stamp: str | None) -> int:
    return int(datetime.fromisoformat(stamp).timestamp()) if stamp else 0


async def run(settings: PodWatchSettings, commands: Commands) -> None:
    process = PodWatch(settings)
    try:
        await commands.answer_with(process.answer)
    finally:
        await process.close()


if __name__ == "__main__":
    serve(run)
