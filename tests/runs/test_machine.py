"""The clock audit."""

from __future__ import annotations

import re

import pytest

from idcbench.runs.machine import audit_clocks, clock_faults, machine_facts, read_clocks, software_versions
from idcbench.runs.schema import ClockReading

S = 1_000_000_000


@pytest.mark.parametrize(
    ("realtime_s", "boottime_s", "moved_ms", "suspended_ms", "said"),
    [
        (100.0, 100.0, 0.0, 0.0, ""),
        (100.4, 100.0, 400.0, 0.0, ""),
        (103.0, 100.0, 3000.0, 0.0, r"set by \+3\.0 s"),
        (90.0, 100.0, -10_000.0, 0.0, r"set by -10\.0 s"),
        (160.0, 160.0, 0.0, 60_000.0, r"slept for 60\.0 s"),
    ],
)
def test_a_clock_that_jumps_is_found(realtime_s, boottime_s, moved_ms, suspended_ms, said) -> None:
    started = ClockReading(realtime_ns=5 * S, monotonic_ns=7 * S, boottime_ns=9 * S)
    ended = ClockReading(
        realtime_ns=int((5 + realtime_s) * S), monotonic_ns=107 * S, boottime_ns=int((9 + boottime_s) * S)
    )
    audit = audit_clocks(started, ended)
    assert (audit.realtime_moved_ms, audit.suspended_ms) == (moved_ms, suspended_ms)
    faults = clock_faults(audit)
    assert re.search(said, faults[0]) if said else not faults


def test_this_machine_is_described() -> None:
    assert machine_facts().keys() >= {"kernel", "cores", "memory_bytes", "system"}
    assert software_versions().keys() >= {"idcbench", "python", "python-numpy"}
    first, second = read_clocks(), read_clocks()
    assert second.monotonic_ns >= first.monotonic_ns
