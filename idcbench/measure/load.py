"""Load as fast as a server takes it on so many connections: a closed loop. The open one is :mod:`.open_loop`."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import IdcError
from ..kube.access import Access, gateway_socket
from ..kube.connection import Connection, Endpoint

Job = Sequence[bytes]
"""Requests that follow each other on one connection, each sent when the one before was answered."""
OPENING_AT_ONCE = 8
T = TypeVar("T")


class LoadError(IdcError):
    """A request of the load was refused or not answered; the text says which and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What became of the jobs, in their order: CLOCK_MONOTONIC ns.

    ``step_ns[i, k]`` is when the ``k``-th request of job ``i`` was answered.
    """

    started_ns: npt.NDArray[np.int64]
    step_ns: npt.NDArray[np.int64]

    @property
    def jobs(self) -> int:
        return len(self.started_ns)

    @property
    def wall_s(self) -> float:
        """From the first request sent to the last answer."""
        return float(self.step_ns.max() - self.started_ns.min()) / 1e9 if self.jobs else 0.0

    @property
    def jobs_per_s(self) -> float:
        return self.jobs / self.wall_s if self.jobs else 0.0


class Pool:
    """Open connections to one endpoint, for load. Made by :func:`pool`."""

    def __init__(self, endpoint: Endpoint, connections: list[Connection], headers: dict[str, str]) -> None:
        self.endpoint = endpoint
        self.headers = headers
        self._connections = connections

    @property
    def size(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The bytes of a request with this pool's credentials."""
        return self.endpoint.request(method, path, headers=self.headers, body=body)

    async def closed_loop(self, jobs: Iterable[Job]) -> Load:
        """Do the jobs on all connections, each taking the next when it is done.

        Raises :class:`LoadError` at the first answer that is no 2xx.
        """
        waiting = iter(enumerate(jobs))
        rows: list[tuple[int, int, tuple[int, ...]]] = []

        async def work(connection: Connection) -> None:
            for number, job in waiting:
                rows.append((number, time.monotonic_ns(), await _do(connection, job)))

        await _all(work(connection) for connection in self._connections)
        rows.sort()
        started = np.array([row[1] for row in rows], dtype=np.int64)
        return Load(started_ns=started, step_ns=_steps([row[2] for row in rows]))

    def close(self) -> None:
        for connection in self._connections:
            connection.abort()


@asynccontextmanager
async def pool(access: Access, *, size: int) -> AsyncIterator[Pool]:
    """``size`` open connections to the endpoint of ``access``. Raises ``OSError`` when it does not answer."""
    endpoint = Endpoint.of(access.server, access)
    opened = Pool(endpoint, await connect_all(partial(connect, endpoint, access), size), access.headers())
    try:
        yield opened
    finally:
        opened.close()


async def connect_all(one: Callable[[], Awaitable[T]], size: int) -> list[T]:
    """``size`` connections, each made by ``one``, a few at once. Raises what ``one`` raises."""
    slots = asyncio.Semaphore(OPENING_AT_ONCE)

    async def open_one() -> T:
        async with slots:
            return await one()

    return list(await asyncio.gather(*(open_one() for _ in range(size))))


async def connect(endpoint: Endpoint, access: Access) -> Connection:
    """A connection to the endpoint, in the cluster's network. Raises ``OSError`` or ``ssl.SSLError``."""
    return await Connection.open(endpoint, await fresh_socket(endpoint, access))


async def fresh_socket(endpoint: Endpoint, access: Access) -> socket.socket:
    """An unconnected socket of the cluster's network. Raises ``OSError`` when its gateway does not answer."""
    gateway = access.gateway
    return await asyncio.to_thread(gateway_socket, gateway) if gateway else endpoint.new_socket()


async def _do(connection: Connection, job: Job) -> tuple[int, ...]:
    answered: list[int] = []
    for request in job:
        try:
            response = await connection.exchange(request)
        except (OSError, ValueError) as error:
            raise LoadError(f"{_line(request)}: {error}; see the API server's log") from error
        if not 200 <= response.status < 300:
            raise LoadError(f"{_line(request)}: {response.status}: {response.body[:400].decode(errors='replace')}")
        answered.append(response.completed_ns)
    return tuple(answered)


async def _all(workers: Iterable[object]) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            for worker in workers:
                tasks.create_task(worker)  # type: ignore[arg-type]
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def _steps(rows: list[tuple[int, ...]]) -> npt.NDArray[np.int64]:
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(rows[0]) if rows else 0)


def _line(request: bytes) -> str:
    return request.split(b" HTTP/1.1", 1)[0].decode(errors="replace")
