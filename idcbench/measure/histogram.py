"""Latencies as an HdrHistogram: of a fixed size, in the form that other tools read, and merged without any loss.

What is counted is whole microseconds, in buckets that are at most 1/1024 of their value wide (three significant
digits; G. Tene, http://hdrhistogram.org). The scheme and the encoding are the library's (`hdrhistogram`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
import numpy.typing as npt
from hdrh.histogram import HdrHistogram

LOWEST_US, HIGHEST_US, DIGITS = 1, 3_600_000_000, 3
"""From a microsecond to an hour. All of ours have these, so that they merge."""
RELATIVE_ERROR = 1 / 1024
"""No quantile is off by more than this share and a microsecond."""


class Histogram:
    """Durations, counted. Made by :meth:`of`, :meth:`merged` and :meth:`decode`."""

    def __init__(self, counted: HdrHistogram) -> None:
        self._counted = counted

    @classmethod
    def of(cls, durations_ns: npt.ArrayLike) -> Self:
        """Raises ``ValueError`` for a duration below 0 or of more than an hour."""
        given_us = np.asarray(durations_ns, dtype=np.int64) // 1000
        if given_us.size and not 0 <= given_us.min() <= given_us.max() <= HIGHEST_US:
            raise ValueError(f"durations from 0 to an hour are wanted; found {given_us.min()} to {given_us.max()} µs")
        counted = _empty()
        for value_us, count in zip(*np.unique(given_us, return_counts=True), strict=True):
            counted.record_value(int(value_us), int(count))
        return cls(counted)

    @classmethod
    def merged(cls, parts: Iterable[Histogram]) -> Self:
        """As if everything had been counted in one: exact, in any order."""
        whole = _empty()
        for part in parts:
            whole.add(part._counted)
        return cls(whole)

    @property
    def count(self) -> int:
        return int(self._counted.get_total_count())

    def quantile_ms(self, share: float) -> float | None:
        """The value whose place among all, in ascending order, is nearest to ``share`` of them; ``None`` without any.

        Too high by at most :data:`RELATIVE_ERROR`, and off by less than the microsecond that was cut off.
        """
        if not 0 < share <= 1:
            raise ValueError(f"a share above 0 and up to 1 is wanted; found {share}")
        return float(self._counted.get_value_at_percentile(100 * share)) / 1000 if self.count else None

    def encode(self) -> str:
        """The standard compressed form, version 2, in base 64."""
        return bytes(self._counted.encode()).decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Raises ``ValueError`` when it is none, or one of another range or precision than ours."""
        try:
            counted = HdrHistogram.decode(text.encode())
            same = (
                counted.lowest_trackable_value, counted.highest_trackable_value, counted.significant_figures,
            ) == (LOWEST_US, HIGHEST_US, DIGITS)  # fmt: skip
        except Exception as error:
            raise ValueError(f"no HdrHistogram: {text[:40]!r}: {error or type(error).__name__}") from error
        if not same:
            raise ValueError(
                f"an HdrHistogram from {LOWEST_US} to {HIGHEST_US} of {DIGITS} digits is wanted: {text[:40]}"
            )
        return cls(counted)


def _empty() -> HdrHistogram:
    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
