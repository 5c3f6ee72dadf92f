"""Offsets of clocks, from exchanges whose truth is known."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.hosts.completed import Completed
from idcbench.kube.access import Access
from idcbench.measure import clock_offset
from idcbench.measure.clock_offset import (
    TICK_KNOWN_NS,
    Bounds,
    ClockError,
    Offset,
    host_offset,
    offset_of,
    server_offsets,
)

TIMES = st.integers(0, 10**9)


@given(st.integers(-(10**10), 10**10), TIMES, TIMES)
def test_the_truth_is_within_the_error(truth_ns: int, there_ns: int, back_ns: int) -> None:
    asked_ns = 1_700_000_000_000_000_000
    found = offset_of(
        "a", asked_ns=asked_ns, told_ns=asked_ns + there_ns + truth_ns, answered_ns=asked_ns + there_ns + back_ns
    )
    assert abs(found.offset_ms - truth_ns / 1e6) <= found.error_ms + 1e-6


@given(st.integers(-(10**11), 10**11), st.lists(st.tuples(TIMES, TIMES), min_size=1, max_size=5), st.booleans())
def test_whole_seconds_never_exclude_the_truth(truth_ns: int, trips: list[tuple[int, int]], bisect: bool) -> None:
    now_ns = 1_700_000_000_123_456_789
    known: Bounds | None = None
    for there_ns, back_ns in trips:
        if known and bisect:
            asked_ns = known.next_question_ns(now_ns)
            assert now_ns <= asked_ns <= now_ns + 10**9
            now_ns = asked_ns
        told = (now_ns + there_ns + truth_ns) // 10**9
        found = Bounds.of_second(told, asked_ns=now_ns, answered_ns=now_ns + there_ns + back_ns)
        known = known.both(found) if known else found
        now_ns += there_ns + back_ns
        assert known.low_ns <= truth_ns <= known.high_ns


@given(st.integers(-(10**11), 10**11))
def test_asking_at_the_middle_halves_what_is_not_known(truth_ns: int) -> None:
    now_ns = 1_700_000_000_000_000_000
    known = Bounds.of_second((now_ns + truth_ns) // 10**9, asked_ns=now_ns, answered_ns=now_ns)
    for _ in range(8):
        now_ns = known.next_question_ns(now_ns + 1)
        known = known.both(Bounds.of_second((now_ns + truth_ns) // 10**9, asked_ns=now_ns, answered_ns=now_ns))
    assert known.high_ns - known.low_ns <= TICK_KNOWN_NS


@pytest.mark.parametrize(
    ("offset_ms", "error_ms", "objects", "notes"),
    [
        (19.9, 0.1, False, False),
        (-21, 1, True, False),
        (15, 6, False, True),
        (25, 26, False, True),
        (0, 3, False, False),
    ],
)
def test_an_offset_objects_when_it_is_sure_and_is_noted_when_it_may_be(
    offset_ms: float, error_ms: float, objects: bool, notes: bool
) -> None:
    found = Offset(host="cp2", offset_ms=offset_ms, error_ms=error_ms)
    assert (bool(found.objection), bool(found.note)) == (objects, notes)
    assert not objects or ("cp2" in found.objection and "chronyc" in found.objection and "± 1.0 ms" in found.objection)


class AheadHost:
    name, address = "cp2", "10.0.0.2"

    def __init__(self, ahead_ms: float, says: str = "") -> None:
        self.ahead_ms, self.says, self.trips_s = ahead_ms, says, [0.05, 0.001, 0.03, 0.04]

    async def run(self, *argv: str, timeout_s: float = 30.0) -> Completed:  # noqa: ARG002
        await asyncio.sleep(self.trips_s.pop(0))
        return Completed(self.name, argv, 0, self.says or f"{time.time_ns() + int(self.ahead_ms * 1e6)}\n", "")


async def test_the_shortest_round_trip_counts() -> None:
    found = await host_offset(AheadHost(70.0))
    assert found.error_ms < 25
    assert abs(found.offset_ms - 70) <= found.error_ms


async def test_a_host_whose_date_knows_no_nanoseconds_is_named() -> None:
    with pytest.raises(ClockError, match=r"host cp2: `date .* printed '1700000000%N'"):
        await host_offset(AheadHost(0, says="1700000000%N"))


async def test_the_tick_of_a_server_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives whole seconds only, and is 340 ms ahead."""
    monkeypatch.setattr(clock_offset, "TICK_TRIES", 3)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            date = formatdate((time.time_ns() + 340_000_000) // 10**9, usegmt=True)
            writer.write(f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with aclosing(server_offsets(Access(server=url, kubeconfig=Path()))) as offsets:
            found = await anext(offsets)
    assert found.error_ms < 250
    assert abs(found.offset_ms - 340) <= found.error_ms
