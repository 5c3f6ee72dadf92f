"""Rates from the times of bindings."""

from __future__ import annotations

import numpy as np
import pytest

from idcbench.scheduler.bench.throughput import decay, kube_average, percentile_ms, wall_rate


def bound_at(*seconds: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array([round(second * 1e9) for second in seconds], dtype=np.int64)


def test_wall_rate_counts_to_the_last_event() -> None:
    assert wall_rate(bound_at(10, 11, 12), end_ns=round(13e9)) == 1.0


def steady(rate: float, seconds: float, *, start: float = 0.0) -> list[float]:
    return [start + number / rate for number in range(round(rate * seconds))]


@pytest.mark.parametrize(
    ("bound", "average"),
    [
        pytest.param(steady(100, 5.0), 100.0, id="a steady rate is that rate"),
        pytest.param([*steady(900, 1.0), *steady(100, 3.0, start=1.0)], 100.0, id="the first second is dropped"),
        pytest.param([*steady(100, 2.0), *steady(300, 1.0, start=2.0), 3.0], 200.0, id="samples count alike"),
        pytest.param([0.0, 0.4], None, id="too short for a sample"),
    ],
)
def test_kube_average(bound: list[float], average: float | None) -> None:
    found = kube_average(bound_at(*bound))
    assert found is None if average is None else found == pytest.approx(average, rel=0.02)


def test_an_empty_interval_is_merged() -> None:
    """Bindings at 0, 2.5, 3.5 and 4: ticks at 1, 2, 3 and 4 see 1, 1, 2 and 4 of them."""
    assert kube_average(bound_at(0, 2.5, 3.5, 4)) == pytest.approx((0.5 + 0.5 + 2) / 3)


def test_decay() -> None:
    slowing = [*steady(100, 1.0), *steady(50, 2.0, start=1.0)]
    assert decay(bound_at(*slowing), part=100) == pytest.approx(0.5)
    assert decay(bound_at(*slowing), part=1000) is None


def test_percentiles() -> None:
    assert percentile_ms(np.array([1_000_000, 3_000_000], dtype=np.int64), 50) == 3.0
    assert percentile_ms(np.array([], dtype=np.int64), 50) is None
