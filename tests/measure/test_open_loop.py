"""An open load against a server whose behaviour is known: what is sent when, and what is told of it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.kube.access import Access
from idcbench.kube.connection import Connection, Endpoint
from idcbench.measure.arrivals import constant
from idcbench.measure.calls import Call, Composer, mixed
from idcbench.measure.instrument import InstrumentError
from idcbench.measure.loader import LoadPlan, LoadResult, run_load
from idcbench.measure.open_loop import SENT, OpenLoop, Outcome
from idcbench.measure.overhead import Overhead
from idcbench.measure.synthetic import Behaviour, SyntheticServer, SyntheticSettings

READ = Call(name="read", path="/api/v1/pods", weight=3)
WRITE = Call(name="write", method="POST", path="/api/v1/pods", body='{"metadata":{"name":"p-{n}"}}')


def loaded(behaviour: Behaviour, *, rate: float = 200, seconds: float = 1.0, **about: object) -> LoadResult:
    with SyntheticServer(SyntheticSettings(behaviour=behaviour)) as server:
        access = Access(server=server.url, kubeconfig=Path())
        return run_load(access, LoadPlan(planned_ns=constant(rate, seconds), calls=(READ, WRITE), **about))  # type: ignore[arg-type]


def test_everything_is_sent_at_its_time_by_any_number_of_processes() -> None:
    found = loaded(Behaviour(), processes=3, connections=7)
    assert list(found.sent["number"]) == list(range(200))
    assert (found.sent["planned_ns"] == found.started_ns + constant(200, 1)).all()
    assert (found.sent["started_ns"] >= found.sent["planned_ns"]).all()
    assert (found.sent["completed_ns"] > found.sent["started_ns"]).all()
    assert found.counts() == {Outcome.OK: 200, Outcome.REFUSED: 0, Outcome.BROKEN: 0, Outcome.LATE: 0}
    assert len(found.overheads) == 3
    assert found.counts("read")[Outcome.OK] + found.counts("write")[Outcome.OK] == 200
    with pytest.raises(KeyError, match="the plan has no delete; it has read, write"):
        found.of("delete")


def test_a_plan_may_say_of_each_request_what_it_is() -> None:
    sorts, numbers = np.array([0, 1, 0, 1], np.uint8), np.array([7, 7, 8, 8], np.uint32)
    found = loaded(Behaviour(), rate=4, sorts=sorts, numbers=numbers, processes=2)
    assert list(found.sent["call"]) == list(sorts)
    assert list(found.sent["number"]) == list(numbers)
    assert (np.diff(found.sent["planned_ns"]) > 0).all()
    with pytest.raises(ValueError, match="3 sorts or numbers do not fit 4 requests"):
        LoadPlan(planned_ns=constant(4, 1), calls=(READ,), sorts=sorts[:3])


def test_a_stall_counts_in_full_for_each_request_that_was_planned_in_it() -> None:
    """With four connections as with enough: what waits for a connection has waited since it was planned."""
    for connections in (4, 64):
        sent = loaded(Behaviour(stall_at_s=0.2, stall_ms=300), connections=connections).sent
        begun_ns, end_ns = sent["completed_ns"][0] + 200_000_000, sent["started_ns"][0] + 500_000_000  # at the outside
        stalled = sent[(sent["planned_ns"] > begun_ns) & (sent["planned_ns"] < end_ns)]
        assert len(stalled) > 10
        assert (stalled["completed_ns"] >= end_ns).all()


def test_what_is_lost_is_broken_and_the_load_goes_on() -> None:
    with SyntheticServer(SyntheticSettings(behaviour=Behaviour(loss=0.1, seed=2))) as server:
        access = Access(server=server.url, kubeconfig=Path())
        found = run_load(access, LoadPlan(planned_ns=constant(300, 1), calls=(READ,), connections=4))
        assert found.counts()[Outcome.BROKEN] == server.lost() > 10
    assert found.counts()[Outcome.OK] == 300 - found.counts()[Outcome.BROKEN]


def test_what_misses_its_deadline_is_late_also_when_it_was_never_sent() -> None:
    found = loaded(Behaviour(delay_ms=5000), rate=50, seconds=0.4, connections=3, deadline_s=0.3)
    assert found.counts() == {Outcome.OK: 0, Outcome.REFUSED: 0, Outcome.BROKEN: 0, Outcome.LATE: 20}
    assert (found.sent["completed_ns"] - found.sent["planned_ns"] >= 0.3e9).all()
    assert len(found.latency_ms()) == 0


def test_a_server_that_is_not_there_is_an_error() -> None:
    access = Access(server="http://127.0.0.1:1", kubeconfig=Path())
    with pytest.raises(InstrumentError, match="open: ConnectionRefusedError"):
        run_load(access, LoadPlan(planned_ns=constant(10, 1), calls=(READ,)))


def test_a_plan_without_requests_is_over_at_once() -> None:
    found = loaded(Behaviour(), rate=0.1, seconds=1e-12)
    assert (len(found.sent), found.behind) == (0, 0.0)


def test_a_load_that_is_late_or_falls_behind_objects() -> None:
    sent = np.zeros(100, dtype=SENT)
    sent["planned_ns"] = np.arange(100) * 1_000_000
    sent["started_ns"] = sent["planned_ns"]
    sent["started_ns"][-2:] += 20_000_000
    lag = Overhead(cpu_share=0, cpu_s=0, wall_s=1, lag_p50_ms=1, lag_p99_ms=11, lag_max_ms=12, samples=500)
    plan = LoadPlan(planned_ns=constant(100, 1), calls=(READ,))
    late = LoadResult(plan=plan, started_ns=0, sent=sent, overheads=(lag,))
    assert late.objections == (
        "a load process started 1 % of its requests 11.0 ms late or later; at most 10 ms is right: "
        "use more processes or connections, a lower rate, or a machine with less to do",
        "the load fell behind its plan by 2.0%; at most 1% is right: use more connections or a lower rate",
    )


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5), st.sampled_from(["", "{n}", "x-{n}/é/{n}"]))
def test_the_number_goes_where_it_belongs_and_lengths_are_right(numbers: list[int], text: str) -> None:
    endpoint = Endpoint(host="h", address=("h", 1), family=2, tls=None)  # type: ignore[arg-type]
    body = json.dumps({"text": text}, ensure_ascii=False)
    compose = Composer([Call(name="x", method="PUT", path=f"/a{'{n}' if text else ''}", body=body)], endpoint, {})
    for number in numbers:
        head, _, sent = compose(0, number).partition(b"\r\n\r\n")
        assert json.loads(sent)["text"] == text.replace("{n}", f"{number:010d}")
        assert f"content-length: {len(sent)}".encode() in head.lower()
        assert head.startswith(b"PUT /a%b HTTP/1.1\r\n" % (f"{number:010d}".encode() if text else b""))


def test_sorts_come_by_weight_and_the_same_for_the_same_seed() -> None:
    drawn = mixed([READ, WRITE], 10_000, seed=1)
    assert Counter(drawn.tolist())[0] == pytest.approx(7500, rel=0.03)
    assert (drawn == mixed([READ, WRITE], 10_000, seed=1)).all()
    with pytest.raises(ValueError, match="1 to 256 sorts"):
        mixed([], 1, seed=1)
    with pytest.raises(ValueError, match="a weight above 0"):
        Call(name="x", path="/", weight=0)


async def test_a_connection_that_the_server_closed_while_idle_holds_nobody_up() -> None:
    """It stops listening too: the request goes over one of those that live."""
    peers: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer)
        while await reader.readline():
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    endpoint = Endpoint(host="x", address=server.sockets[0].getsockname(), family=socket.AF_INET, tls=None)
    loop = OpenLoop(
        lambda: Connection.open(endpoint, endpoint.new_socket()), connections=3, deadline_s=2.0,
        compose=lambda _, __: b"GET / HTTP/1.1\r\n",
    )  # fmt: skip
    await loop.open()
    while len(peers) < 3:
        await asyncio.sleep(0)
    server.close()
    peers[0].close()
    await peers[0].wait_closed()
    await asyncio.sleep(0.05)  # so that this end has heard of it
    one = np.zeros(1, dtype=np.int64)
    sent = await loop.run(one, one.astype(np.uint32), one.astype(np.uint8), start_ns=time.monotonic_ns())
    assert sent["outcome"][0] == Outcome.OK
    loop.close()
    for peer in peers[1:]:
        peer.close()


async def test_a_bug_ends_the_run_at_once() -> None:
    def broken(_: int, __: int) -> bytes:
        raise KeyError("a bug")

    async def connect() -> Connection:
        near, far = socket.socketpair()
        far.close()
        near.setblocking(False)
        return Connection(near)

    loop = OpenLoop(connect, connections=1, compose=broken, deadline_s=60)
    await loop.open()
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(KeyError, match="a bug"):
        await asyncio.wait_for(
            loop.run(one, one.astype(np.uint32), one.astype(np.uint8), start_ns=time.monotonic_ns()), 10
        )
    loop.close()


async def test_a_bug_in_the_sweep_ends_the_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: OpenLoop) -> None:
        raise KeyError("a bug")

    async def connect() -> Connection:
        near, far = socket.socketpair()
        near.setblocking(False)
        peers.append(far)
        return Connection(near)

    peers: list[socket.socket] = []
    monkeypatch.setattr(OpenLoop, "_end_late", broken)
    loop = OpenLoop(connect, connections=1, compose=lambda _, __: b"GET / HTTP/1.1\r\n\r\n", deadline_s=60)
    await loop.open()
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(KeyError, match="a bug"):
        await asyncio.wait_for(
            loop.run(one, one.astype(np.uint32), one.astype(np.uint8), start_ns=time.monotonic_ns()), 10
        )
    loop.close()
    peers[0].close()
