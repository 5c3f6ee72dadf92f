"""Outages against a slow oracle that walks every nanosecond between completions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.measure.outage import in_flight, longest_idle_ms, longest_outage, started_after, summarise
from idcbench.measure.requests import REQUEST, Outcome, Requests, log_rows

TIMES = st.lists(st.integers(0, 300), min_size=0, max_size=30).map(sorted)


def oracle(completions: list[int], interval: int, until: int | None) -> tuple[int, int] | None:
    """The longest run of ticks in which nothing completed, tick by tick."""
    ends = completions + ([until] if until is not None and completions and until > completions[-1] else [])
    if not ends:
        return None
    best, since = (0, 0), ends[0]
    for tick in range(ends[0], ends[-1] + 1):
        if tick in ends:
            if tick - since > best[1] - best[0]:
                best = (since, tick)
            since = tick
    return best if best[1] - best[0] > interval else None


@given(completions=TIMES, interval=st.integers(1, 50), until=st.none() | st.integers(0, 400))
def test_the_longest_outage_is_the_one_an_oracle_finds(
    completions: list[int], interval: int, until: int | None
) -> None:
    found = longest_outage(completions, interval_ns=interval, until_ns=until)
    expected = oracle(completions, interval, until)
    assert (found and (found.started_ns, found.ended_ns)) == expected
    if found:
        assert found.duration_ms == pytest.approx((found.ended_ns - found.started_ns - interval) / 1e6)
        assert found.ended == (found.ended_ns in completions)


def test_completions_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="out of order"):
        longest_outage([3, 2], interval_ns=1)


def requests(*rows: tuple[int, int, int, Outcome]) -> Requests:
    """Requests from (planned, started, completed, outcome) in ms."""
    found = np.zeros(len(rows), dtype=REQUEST)
    for record, (planned, started, completed, outcome) in zip(found, rows, strict=True):
        record["planned_ns"], record["started_ns"] = planned * 10**6, started * 10**6
        record["completed_ns"], record["outcome"] = completed * 10**6, outcome
    return found


OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN
STALL = requests(
    (0, 0, 5, OK),
    (40, 40, 45, OK),
    (80, 81, 1080, FAILED),
    (120, 121, 1120, UNKNOWN),
    (160, 161, 700, OK),
    (200, 201, 204, FAILED),
    (1000, 1000, 1006, OK),
)
MS = 10**6


def test_a_stall_is_summed_up() -> None:
    summary = summarise(STALL, interval_ns=40 * MS, since_ns=50 * MS, until_ns=1100 * MS)
    assert (summary.total, summary.failed, summary.unknown) == (5, 2, 1)
    assert summary.outage_ms == 700 - 45 - 40
    assert summary.degraded_ms == 200 - 80
    assert summary.worst_latency_ms == 1000


def test_an_outage_counts_from_the_last_success_before_the_window() -> None:
    summary = summarise(STALL, interval_ns=40 * MS, since_ns=600 * MS, until_ns=650 * MS)
    assert summary.total == 0
    assert summary.worst_latency_ms is None
    assert summary.outage is not None
    assert (summary.outage.started_ns, summary.outage.ended_ns) == (45 * MS, 700 * MS)


def test_an_outage_that_does_not_end_is_seen() -> None:
    summary = summarise(STALL, interval_ns=40 * MS, since_ns=1001 * MS, until_ns=3000 * MS)
    assert summary.outage is not None
    assert not summary.outage.ended
    assert summary.outage_ms == 3000 - 1006 - 40


def test_a_stream_that_never_succeeds_is_out_from_the_beginning_of_the_window() -> None:
    never = requests((0, 0, 10, FAILED), (40, 40, 50, FAILED))
    summary = summarise(never, interval_ns=40 * MS, since_ns=0, until_ns=500 * MS)
    assert summary.outage_ms == 460
    assert summary.degraded_ms == 40


def test_no_requests_at_all_are_an_outage_of_the_whole_window() -> None:
    summary = summarise(requests(), interval_ns=40 * MS, since_ns=0, until_ns=100 * MS)
    assert (summary.total, summary.outage_ms) == (0, 60)


def test_requests_at_a_moment() -> None:
    flying = in_flight(STALL, since_ns=100 * MS, until_ns=150 * MS)
    assert flying["planned_ns"].tolist() == [80 * MS, 120 * MS]
    assert started_after(STALL, 161 * MS)["planned_ns"].tolist() == [200 * MS, 1000 * MS]


def test_a_probe_that_paused_is_found() -> None:
    assert longest_idle_ms(STALL, since_ns=0, until_ns=1000 * MS) == 1000 - 201
    assert longest_idle_ms(STALL, since_ns=1100 * MS, until_ns=1500 * MS) == 400


def test_log_rows_keep_what_a_run_keeps() -> None:
    from idcbench.runs.probelog import DTYPE

    rows = log_rows(STALL)
    assert rows.dtype.names == DTYPE.names
    assert rows["completed_ns"].tolist() == STALL["completed_ns"].tolist()
