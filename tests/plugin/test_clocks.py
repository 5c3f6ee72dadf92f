"""The clocks of a cluster without hosts to ask: the API server's is followed in the background."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from idcbench.hosts.completed import CommandError, Completed
from idcbench.kube.access import Access
from idcbench.measure import clock_offset
from idcbench.plugin.clocks import Clocks
from idcbench.runs.directory import Run, create_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path, target_id="t")


def cluster(*hosts: Any, url: str = "") -> Any:
    return SimpleNamespace(hosts=hosts, access=Access(server=url, kubeconfig=Path()))


def reasons(run: Run) -> list[str]:
    return [event["reason"] for event in run.events() if event["what"] == "invalid"]


async def test_an_api_server_that_is_ten_seconds_off_makes_the_run_invalid(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_offset, "TICK_TRIES", 0)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(
                f"HTTP/1.1 401 No\r\nDate: {formatdate(time.time() + 10)}\r\nContent-Length: 0\r\n\r\n".encode()
            )
        writer.close()

    labels = {"host": "kube-apiserver"}
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        clocks = Clocks(cluster(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), run)
        await clocks.begin()
        async with asyncio.timeout(20):
            while not reasons(run):
                await asyncio.sleep(0.01)
        await clocks.end(hurried=False)
    offset, error = (run.values(name, labels)[0] for name in ("measure.clock_offset", "measure.clock_offset_error"))
    assert abs(offset - 10_000) <= error
    assert reasons(run)[0].startswith("the clock of kube-apiserver is +")


async def test_a_server_that_does_not_answer_is_a_note(run: Run) -> None:
    clocks = Clocks(cluster(url="http://127.0.0.1:1"), run)
    await clocks.begin()
    async with asyncio.timeout(20):
        while not clocks.notes:
            await asyncio.sleep(0.01)
    await clocks.end(hurried=False)
    assert "http://127.0.0.1:1/version: no Date in an answer" in clocks.notes[0]


async def test_a_host_that_cannot_be_asked_is_a_note_and_the_others_are_asked(run: Run) -> None:
    class Gone:
        name, address = "cp1", "10.0.0.1"

        async def run(self, *argv: str, timeout_s: float = 30.0) -> Completed:  # noqa: ARG002
            raise CommandError(Completed(self.name, argv, 255, "", "no route"))

    class Here(Gone):
        name = "cp2"

        async def run(self, *argv: str, timeout_s: float = 30.0) -> Completed:  # noqa: ARG002
            return Completed(self.name, argv, 0, f"{time.time_ns()}\n", "")

    clocks = Clocks(cluster(Gone(), Here()), run)
    await clocks.begin()
    await clocks.end(hurried=True)
    assert len(clocks.notes) == 1
    assert "host cp1: its clock could not be read" in clocks.notes[0]
    assert len(run.values("measure.clock_offset", {"host": "cp2"})) == 1
