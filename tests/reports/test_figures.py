"""Values as people write them."""

from __future__ import annotations

import pytest

from idcbench.reports.figures import figure, spread


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ms", "—"),
        (0, "ms", "0 ms"),
        (0.0023, "ms", "2.30 µs"),
        (0.42, "ms", "0.42 ms"),
        (4.567, "ms", "4.57 ms"),
        (41.23, "ms", "41.2 ms"),
        (412.6, "ms", "413 ms"),
        (999.7, "ms", "1.00 s"),
        (1402.4, "ms", "1.40 s"),
        (3000, "ms", "3 s"),
        (8.41, "s", "8.41 s"),
        (12.34, "s", "12.3 s"),
        (125, "s", "2 min 05 s"),
        (3725, "s", "1 h 02 min"),
        (1500, "us", "1.50 ms"),
        (-20, "ms", "-20 ms"),
        (1282, "1", "1 282"),
        (0.063, "ratio", "6.30 %"),
        (25_276_514_304, "bytes", "23.5 GiB"),
        (512, "bytes", "512 B"),
        (1, "requests", "1 request"),
        (2, "requests", "2 requests"),
        (440.4, "1/s", "440 1/s"),
    ],
)
def test_figure(value: float | None, unit: str, text: str) -> None:
    assert figure(value, unit) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1210, 1620, "1.21 – 1.62 s"),
        (330, 1393, "330 ms – 1.39 s"),
        (1210.1, 1210.2, "1.21 s"),
        (None, 3, "—"),
        (61_000, 125_000, "61.0 s – 2 min 05 s"),
    ],
)
def test_spread(low: float | None, high: float | None, text: str) -> None:
    assert spread(low, high, "ms") == text
