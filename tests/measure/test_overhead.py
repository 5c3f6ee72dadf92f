"""What an instrument says of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from idcbench.measure.overhead import CpuMeter, Overhead

FINE = Overhead(cpu_share=0.15, cpu_s=1, wall_s=5, lag_p50_ms=1, lag_p99_ms=10, lag_max_ms=40, samples=299)


def test_an_instrument_within_its_limits_has_nothing_against_it() -> None:
    assert FINE.objections == ()


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        (replace(FINE, cpu_share=0.16), "16% of the machine"),
        (replace(FINE, lag_p99_ms=10.1), "10.1 ms late"),
        (replace(FINE, samples=298), "298 requests only"),
    ],
)
def test_each_limit_is_named(worse: Overhead, said: str) -> None:
    (objection,) = worse.objections
    assert said in objection


def test_the_lag_is_summed_up() -> None:
    overhead = CpuMeter.start().overhead(np.arange(1, 101, dtype=np.int64) * 1_000_000)
    assert (overhead.lag_p50_ms, overhead.lag_p99_ms, overhead.lag_max_ms, overhead.samples) == (51, 100, 100, 100)
    assert 0 <= overhead.cpu_share <= 1


def test_nothing_sent_is_objected_to() -> None:
    assert "0 requests only" in " ".join(CpuMeter.start().overhead(np.zeros(0, dtype=np.int64)).objections)
