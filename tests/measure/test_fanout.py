"""Many watchers: that an event is known however the network cut it, and that what never came is counted."""

from __future__ import annotations

import asyncio
import socket
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.measure.fanout import EVENT_MARK, Heard
from idcbench.measure.fanout_process import Stream, number_in
from idcbench.measure.overhead import Overhead

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LAG = Overhead(cpu_share=0, cpu_s=0, wall_s=1, lag_p50_ms=0, lag_p99_ms=20, lag_max_ms=20, samples=299)


def event(number: int) -> bytes:
    mark = EVENT_MARK.replace("{n}", f"{number:010}")
    line = b'{"type":"MODIFIED","object":{"data":{"event":"%s"}}}\n' % mark.encode()
    return b"%x\r\n%s\r\n" % (len(line), line)


@given(cuts=st.lists(st.integers(0, 400), max_size=8))
def test_every_event_is_known_once_however_the_stream_is_cut(cuts: list[int]) -> None:
    whole = HEAD + event(0) + event(123456) + b"19\r\n" + b'{"type":"BOOKMARK"}\n' + b"\r\n" + event(7)[:-2]
    edges = sorted({0, len(whole), *(cut for cut in cuts if len(HEAD) <= cut < len(whole))})
    pieces = [whole[a:b] for a, b in pairwise(edges)]

    async def feed() -> list[tuple[int, int, int]]:
        received: list[tuple[int, int, int]] = []
        ours, theirs = socket.socketpair()
        with theirs:
            stream = Stream(5, ours, received)
            for at_ns, piece in enumerate(pieces):
                stream._take(piece, at_ns)
            assert stream.answered.done()
            stream.close()
        return received

    received = asyncio.run(feed())
    assert [(watcher, number) for watcher, number, _ in received] == [(5, 0), (5, 123456), (5, 7)]
    assert received[-1][2] == len(pieces) - 1  # the stamp of the piece that completed it


def test_a_refusal_is_an_error_that_says_what_was_answered() -> None:
    async def refuse() -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            stream = Stream(1, ours, [])
            theirs.send(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            try:
                await asyncio.wait_for(stream.answered, 5)
            finally:
                assert stream.ended

    with pytest.raises(ConnectionError, match=r"watcher 1: .*403 Forbidden"):
        asyncio.run(refuse())


@pytest.mark.parametrize("line", [b"", b"idcbench-event-", b"idcbench-event-12", b"idcbench-event-00000000x1"])
def test_what_has_no_whole_number_is_no_event(line: bytes) -> None:
    assert number_in(line) is None


def test_what_never_came_is_missing_and_has_no_latency() -> None:
    received_ns = np.array([[2_000_000, 0, 9_000_000], [4_000_000, 5_000_000, 6_000_000]])
    heard = Heard(received_ns=received_ns, late=np.empty((0, 2), np.int64), overheads=(LAG,), ended=1)
    values_ms, at_ns = heard.since_ms(np.array([1_000_000, 2_000_000, 3_000_000]))
    assert heard.missing == 1
    assert values_ms.tolist() == [1.0, 6.0, 3.0, 3.0, 3.0]
    assert at_ns.tolist() == [2_000_000, 9_000_000, 4_000_000, 5_000_000, 6_000_000]
    assert [said.split(" ")[0] for said in heard.objections] == ["a", "1"]
