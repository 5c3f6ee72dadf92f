"""The plan: start times that follow from the start alone."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.measure.plan import CONNECTIONS, KINDS, STREAMS, Plan, Stream, schedule, van_der_corput

RATES = st.floats(0.5, 200)
ALL_STREAMS = [(kind, connection) for kind in KINDS for connection in CONNECTIONS]


@given(rates=st.lists(RATES, min_size=1, max_size=4), start_ns=st.integers(0, 10**18))
def test_every_stream_keeps_its_interval_and_all_are_in_order(rates: list[float], start_ns: int) -> None:
    streams = [
        Stream(kind=kind, connection=connection, rate_per_s=rate)
        for (kind, connection), rate in zip(ALL_STREAMS, rates, strict=False)
    ]
    sent = list(itertools.islice(schedule(Plan(streams=tuple(streams)), start_ns=start_ns), 200))
    assert [planned.number for planned in sent] == list(range(200))
    times = [planned.planned_ns for planned in sent]
    assert times == sorted(times)
    assert times[0] == start_ns
    for stream in streams:
        own = [planned.planned_ns for planned in sent if planned.stream == stream]
        assert {later - former for former, later in itertools.pairwise(own)} <= {stream.interval_ns}


def test_the_default_streams_never_start_within_5_ms_of_each_other() -> None:
    times = [planned.planned_ns for planned in itertools.islice(schedule(Plan(), start_ns=0), 700)]
    assert times[-1] == pytest.approx(10e9, rel=0.01)
    assert min(later - former for former, later in itertools.pairwise(times)) >= 5e6


def test_a_reused_stream_keeps_enough_connections_for_a_stall_of_one_deadline() -> None:
    plan = Plan(deadline_s=0.5)
    for stream in STREAMS:
        wanted = math.ceil(stream.rate_per_s * 0.5) + 1 if stream.connection == "reused" else 0
        assert plan.connections_kept(stream) == wanted


def test_van_der_corput_halves_what_is_left() -> None:
    assert [van_der_corput(index) for index in range(6)] == [0, 0.5, 0.25, 0.75, 0.125, 0.625]


@pytest.mark.parametrize("rate", [0, -1, 1001])
def test_a_rate_that_cannot_be_sent_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="reads on new connections"):
        Stream(kind="read", connection="new", rate_per_s=rate)
