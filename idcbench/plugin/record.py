"""``idc_record``: values of users' own tests, kept as samples of the run."""

from __future__ import annotations

from collections.abc import Mapping

from ..runs.directory import Run
from ..runs.schema import Better


class Record:
    """Appends values to series of the run; each ends as a metric in run.json."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(
        self,
        name: str,
        value: float,
        *,
        unit: str,
        better: Better = "lower",
        labels: Mapping[str, str] | None = None,
        definition: str = "",
        at_ns: int | None = None,
    ) -> None:
        """Record one value, taken at ``at_ns`` of CLOCK_MONOTONIC (now, when left out).

        ``better`` is ``lower``, ``higher`` or ``none``; ``definition`` says what exactly the value is. Raises
        ``ValueError`` for NaN, infinity, a negative value, and for a series that exists with another unit.
        """
        self.run.series(name, unit=unit, better=better, labels=labels, definition=definition).add(value, at_ns)
