"""The server that shows a run while it goes on."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from idcbench.cli.report import report
from idcbench.cli.serve import is_loopback, serve
from idcbench.errors import UsageError
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import TestCounts, Validity

LIMIT_S = 20.0


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / ".idcbench", target_id="embedded")


def watch(run: Run, doing: Callable[[aiohttp.ClientSession, str], Awaitable[None]]) -> None:
    """Serve ``run``, do that with it, and end the server as Ctrl-C does: within the limit."""

    async def all_of_it() -> None:
        where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = asyncio.ensure_future(
            serve(run, address="127.0.0.1", port=0, say=where.set_result, look_s=0.02),
        )
        async with asyncio.timeout(LIMIT_S):
            async with aiohttp.ClientSession() as session:
                await doing(session, await where)
                os.kill(os.getpid(), signal.SIGINT)
                await serving

    asyncio.run(all_of_it())


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The named events of a stream, until it ends."""
    name = ""
    async for line in response.content:
        key, _, value = line.decode().rstrip("\n").partition(": ")
        if key == "event":
            name = value
        elif key == "data":
            yield name, json.loads(value)


def finish(run: Run) -> None:
    run.finish(tests=TestCounts(passed=1), checks=(), facts={}, options={}, validity=Validity())


def test_events_follow_the_run_to_its_report(run: Run) -> None:
    async def doing(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}events") as response:
            assert response.content_type == "text/event-stream"
            told = events(response)
            name, state = await anext(told)
            assert (name, state["metrics"]) == ("state", [])
            run.series("my.latency", unit="ms", better="lower").add(41.7)
            while not (state["metrics"] and state["metrics"][0]["n"] == "1"):
                name, state = await anext(told)
            assert state["metrics"][0]["p50"] == "41.7 ms"
            finish(run)
            rest = [each async for each in told]
        assert [name for name, _ in rest[-2:]] == ["state", "ended"]
        assert rest[-2][1]["ended"] == run.document().ended
        async with session.get(f"{url}report") as response:
            assert "my.latency" in await response.text()

    watch(run, doing)


def test_removed_run_directory_is_said_and_ends_the_stream(run: Run) -> None:
    async def doing(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}events") as response:
            told = events(response)
            await anext(told)
            shutil.rmtree(run.path)
            rest = [each async for each in told]
        assert rest[-1] == ("gone", {"why": "0001_run: the run directory was removed"})
        async with session.get(f"{url}report") as response:
            assert response.status == 404

    watch(run, doing)


def test_interrupt_cuts_an_open_stream(run: Run) -> None:
    streams: list[aiohttp.ClientResponse] = []

    async def doing(session: aiohttp.ClientSession, url: str) -> None:
        streams.append(await session.get(f"{url}events"))
        await anext(events(streams[0]))

    watch(run, doing)  # ends within its limit though the run goes on and the stream was open


@pytest.mark.parametrize(
    "path", ["run.json", "..%2frun.json", "%2e%2e/%2e%2e/etc/passwd", "report/../run.json", "static/"]
)
def test_no_file_is_served(run: Run, path: str) -> None:
    async def doing(session: aiohttp.ClientSession, url: str) -> None:
        from yarl import URL

        async with session.get(URL(url + path, encoded=True)) as response:
            assert response.status == 404
        async with session.post(url) as response:
            assert response.status == 405
        async with session.get(url) as response:
            assert "EventSource" in await response.text()

    watch(run, doing)


def test_refuses_a_foreign_name_that_leads_here(run: Run) -> None:
    async def doing(session: aiohttp.ClientSession, url: str) -> None:
        for host, status in (("elsewhere.example:80", 403), ("", 403), ("localhost:1", 200), ("[::1]:1", 200)):
            async with session.get(url, headers={"Host": host}) as response:
                assert response.status == status, host

    watch(run, doing)


def test_taken_port_is_an_error_with_the_remedy(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=r"--port N"):
            asyncio.run(serve(run, address="127.0.0.1", port=port, say=print))


@pytest.mark.parametrize(
    ("address", "only_here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("", False), ("example", False)],
)  # fmt: skip
def test_only_loopback_needs_no_warning(address: str, only_here: bool) -> None:
    assert is_loopback(address) is only_here


@pytest.mark.parametrize(("bind", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_warns_when_others_can_reach_it(run: Run, bind: str, warned: bool) -> None:
    with socket.create_server((bind, 0)) as taken:  # ends the command at once
        arguments = ["--serve", "--bind", bind, "--port", str(taken.getsockname()[1]), str(run.path)]
        result = CliRunner().invoke(report, arguments)

    assert isinstance(result.exception, UsageError)
    assert ("anyone who reaches it can read this run" in result.stderr) is warned


@pytest.mark.parametrize(
    "arguments", [["--port", "0"], ["--bind", "::1"], ["--serve", "--json"], ["--serve", "--html", "x"]]
)
def test_options_that_do_not_go_together(run: Run, arguments: list[str]) -> None:
    result = CliRunner().invoke(report, [*arguments, str(run.path)])

    assert isinstance(result.exception, UsageError)
