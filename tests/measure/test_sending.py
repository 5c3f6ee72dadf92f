"""Sending, whatever happens to a request: each is recorded, so that the probe settles."""

from __future__ import annotations

import asyncio
import socket
import time

from idcbench.kube.connection import Endpoint
from idcbench.measure.plan import Plan, Planned
from idcbench.measure.requests import Outcome
from idcbench.measure.sending import Sender
from idcbench.measure.sockets import SocketStore


async def test_an_error_that_nobody_foresaw_is_a_recorded_failure_and_told() -> None:
    def compose(planned: Planned) -> bytes:
        raise RuntimeError(f"request {planned.number}")

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        endpoint = Endpoint(host="127.0.0.1", address=address, family=socket.AF_INET, tls=None)
        sender = Sender(Plan(), endpoint, SocketStore(endpoint.new_socket), compose)
        sending = asyncio.create_task(sender.send_until_cancelled(start_ns=time.monotonic_ns()))
        async with asyncio.timeout(5):
            while len(sender.surprises) < 3:
                await asyncio.sleep(0.01)
        sending.cancel()
        await sender.settle()
        now_ns = time.monotonic_ns()
        assert sender.settled_ns() >= now_ns
        assert Outcome.OK not in sender.requests()["outcome"]
        assert len(sender.requests()) == len(sender.surprises)
        sender.close()
