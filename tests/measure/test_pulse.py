"""The harness's own delay: each planned time counts, also those that were slept through."""

from __future__ import annotations

import os
import signal
import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from idcbench.measure.instrument import Instrument
from idcbench.measure.pulse import PERIOD_NS, Beats, Pulse


@given(st.lists(st.integers(0, 500), max_size=30))
def test_every_planned_time_is_noted_once_whenever_it_woke(steps: list[int]) -> None:
    beats, now = Beats(start_ns=100, period_ns=20), 0
    for step in steps:
        now += step
        beats.woke(now)
    found = beats.since(0)
    assert [planned for planned, _ in found] == list(range(100, now + 1, 20))
    assert all(late >= 0 for _, late in found)
    assert beats.since(0) == []


def test_a_stopped_pulse_tells_every_beat_that_it_missed() -> None:
    with Pulse() as pulse:
        since_ns = time.monotonic_ns()
        process = _pid(pulse)
        os.kill(process, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(process, signal.SIGCONT)
        planned_ns, late_ms = pulse.late_ms(since_ns=since_ns)
    assert max(late_ms) > 250
    assert sum(late > 10 for late in late_ms) >= 5
    assert all(later - sooner == PERIOD_NS for sooner, later in pairwise(planned_ns))


def _pid(pulse: Pulse) -> int:
    instrument: Instrument = pulse._instrument
    return instrument._process.pid
