"""What a probe is to send, and when: every start time follows from the start of the plan, nothing from the answers."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["read", "write"]
Reuse = Literal["reused", "new"]
KINDS: tuple[Kind, ...] = ("read", "write")
CONNECTIONS: tuple[Reuse, ...] = ("reused", "new")
"""In the order of their codes in a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One open-loop stream of requests. On ``new`` connections each request opens its own."""

    kind: Kind
    connection: Reuse
    rate_per_s: float

    def __post_init__(self) -> None:
        if not 0 < self.rate_per_s <= 1000:
            raise ValueError(f"{self.kind}s on {self.connection} connections: {self.rate_per_s}/s is not in 0 to 1000")

    @property
    def interval_ns(self) -> int:
        return round(1e9 / self.rate_per_s)


STREAMS = (
    Stream(kind="read", connection="reused", rate_per_s=25),
    Stream(kind="write", connection="reused", rate_per_s=25),
    Stream(kind="read", connection="new", rate_per_s=10),
    Stream(kind="write", connection="new", rate_per_s=10),
)
"""An outage is known to 40 ms on reused and 100 ms on new connections, for about a tenth of one core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Streams with one deadline, counted from each request's planned start.

    ``server`` is a URL to probe instead of the endpoint: one member, straight. ``watch`` opens a watch on what is
    written, so that its latency is measured and lost or repeated events are seen.
    """

    streams: tuple[Stream, ...] = STREAMS
    deadline_s: float = 1.0
    server: str | None = None
    watch: bool = True

    @property
    def deadline_ns(self) -> int:
        return round(self.deadline_s * 1e9)

    def stream(self, kind: Kind, connection: Reuse) -> Stream:
        """The stream of that kind and connection. Raises ``KeyError`` when the plan has none."""
        for stream in self.streams:
            if (stream.kind, stream.connection) == (kind, connection):
                return stream
        raise KeyError(f"the plan has no {kind} stream on {connection} connections")

    def connections_kept(self, stream: Stream) -> int:
        """How many a reused stream keeps: enough that a stall of one whole deadline needs no new one."""
        return 0 if stream.connection == "new" else math.ceil(stream.rate_per_s * self.deadline_s) + 1


@dataclass(frozen=True, slots=True, order=True)
class Planned:
    """One request: when it starts, and its number in the plan, which names what it writes."""

    planned_ns: int
    number: int
    stream: Stream


def schedule(plan: Plan, *, start_ns: int) -> Iterator[Planned]:
    """Every request of the plan from ``start_ns`` on, in order, without end.

    The streams' phases are spread over the shortest interval (van der Corput: 0, 1/2, 1/4, 3/4, …), so that requests
    of two streams do not start together and wait for each other.
    """
    shortest_ns = min(stream.interval_ns for stream in plan.streams)
    starts = [
        _starts(stream, index, start_ns + int(van_der_corput(index) * shortest_ns))
        for index, stream in enumerate(plan.streams)
    ]
    for number, (planned_ns, index) in enumerate(heapq.merge(*starts)):
        yield Planned(planned_ns, number, plan.streams[index])


def van_der_corput(index: int) -> float:
    """The ``index``-th number of the sequence in base 2: the binary digits mirrored at the point."""
    return float(sum((index >> bit & 1) / 2 ** (bit + 1) for bit in range(index.bit_length())))


def _starts(stream: Stream, index: int, first_ns: int) -> Iterator[tuple[int, int]]:
    return ((first_ns + turn * stream.interval_ns, index) for turn in itertools.count())
