"""Streams from a probe log."""

from __future__ import annotations

import numpy as np

from idcbench.reports.outages import streams
from idcbench.runs.probelog import DTYPE

MS = 1_000_000


def requests(*rows: tuple[int, int, int], kind: int = 1, connection: int = 0) -> np.ndarray:
    """From (planned, latency, outcome) in ms."""
    times = [(planned * MS, (planned + latency) * MS, outcome) for planned, latency, outcome in rows]
    return np.array([(begin, begin, end, kind, connection, 200, outcome) for begin, end, outcome in times], DTYPE)


def test_an_outage_is_from_success_to_success_less_the_interval() -> None:
    log = requests((0, 4, 0), (40, 4, 0), (80, 1000, 2), (120, 500, 0), (160, 4, 1), (660, 4, 0))
    (stream,) = streams(log, zero_ns=80 * MS)
    assert stream.outage is not None
    assert stream.interval_ms == 40
    assert stream.outage.outage_ms == (620 - 44) - 40
    assert (round(stream.outage.start_s, 3), round(stream.outage.end_s, 3)) == (-0.036, 0.54)
    assert (stream.failed, stream.unknown, stream.total) == (1, 1, 6)
    assert stream.degraded_ms == 80
    assert stream.worst_ms == 1000


def test_the_probes_own_rhythm_is_no_outage() -> None:
    (stream,) = streams(requests((0, 4, 0), (40, 30, 0), (80, 4, 0)), zero_ns=0)
    assert stream.outage is None


def test_an_outage_without_an_end_is_one() -> None:
    rows = [(at, 4, 0) for at in range(0, 200, 40)] + [(at, 1000, 1) for at in range(200, 2000, 40)]
    (stream,) = streams(requests(*rows), zero_ns=200 * MS)
    assert stream.outage is not None
    assert not stream.outage.ended
    assert stream.outage.outage_ms == 1960 - 164 - 40


def test_writes_come_before_reads_and_new_before_reused() -> None:
    log = np.concatenate(
        [requests((0, 4, 0), kind=kind, connection=connection) for kind in (0, 1) for connection in (0, 1)]
    )
    assert [(it.kind, it.connection) for it in streams(log, zero_ns=0)] == [
        ("write", "new"), ("write", "reused"), ("read", "new"), ("read", "reused"),
    ]  # fmt: skip
