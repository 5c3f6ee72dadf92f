"""Load against a little server: closed loops, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from idcbench.kube.access import Access
from idcbench.measure.load import LoadError, pool


@dataclass
class Server:
    """Answers every POST after ``delay_s`` with ``status``; counts what runs at once."""

    access: Access
    delay_s: float = 0.0
    status: int = 201
    paths: list[str] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            self.paths.append(head)
            self.running += 1
            self.most = max(self.most, self.running)
            await asyncio.sleep(self.delay_s)
            self.running -= 1
            writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        writer.close()


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""
    length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("Content-Length")), 0)
    await reader.readexactly(length)
    return head.split(" ")[1]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    made = Server(Access(server="", kubeconfig=Path("none")))
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    made.access = Access(server=f"http://127.0.0.1:{port}", kubeconfig=Path("none"))
    async with listening:
        yield made


async def test_a_closed_loop_does_every_job_once_and_its_requests_in_order(server: Server) -> None:
    server.delay_s = 0.005
    async with pool(server.access, size=4) as clients:
        jobs = [
            [clients.request("POST", f"/{n}/a", b"{}"), clients.request("POST", f"/{n}/b", b"{}")] for n in range(20)
        ]
        load = await clients.closed_loop(jobs)
    assert sorted(server.paths) == sorted(f"/{n}/{step}" for n in range(20) for step in "ab")
    assert server.most == 4
    assert load.step_ns.shape == (20, 2)
    assert (load.started_ns < load.step_ns[:, 0]).all()
    assert (load.step_ns[:, 0] < load.step_ns[:, 1]).all()
    assert load.jobs_per_s == pytest.approx(20 / load.wall_s)


async def test_no_jobs_are_no_load(server: Server) -> None:
    async with pool(server.access, size=2) as clients:
        load = await clients.closed_loop([])
    assert (load.jobs, load.wall_s, load.jobs_per_s) == (0, 0.0, 0.0)


async def test_a_refusal_ends_the_load_and_is_named(server: Server) -> None:
    server.status = 409
    async with pool(server.access, size=2) as clients:
        with pytest.raises(LoadError, match=r"POST /a: 409: \{\}"):
            await clients.closed_loop([[clients.request("POST", "/a")]])
