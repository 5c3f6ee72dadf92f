"""Whether the machine let the harness run: its scheduling delay while tests measured, kept in the run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ..errors import RunError
from ..measure.instrument import InstrumentError
from ..measure.overhead import LAG_P99_LIMIT_MS, LAG_SAMPLES_NEEDED
from ..measure.pulse import Pulse
from ..runs.directory import Run

DELAY = "measure.harness_delay"
DEFINITION = "how much later than planned a process of the harness's own woke, 20 times a second, while tests measured"

LOAD = "measure.load_average"
LOAD_DEFINITION = (
    "the machine's load average of the last minute, for each of its processors, when a test that measures ended: how"
    " many processes ran or waited to run, those of the cluster and of whoever else uses the machine among them"
)


class Starvation:
    """One for each process that runs tests; its pulse begins with the first test that measures."""

    def __init__(self) -> None:
        self._pulse: Pulse | None = None

    def get_ready(self, run: Run) -> None:
        """Start the pulse, unless it beats. A failure makes the run invalid: then nobody knows."""
        try:
            self._pulse = self._pulse or Pulse()
        except (InstrumentError, OSError) as error:
            self._unknown(run, error)

    @contextmanager
    def watched(self, run: Run) -> Iterator[None]:
        """Keep the delays of what happens within."""
        since_ns = time.monotonic_ns()
        try:
            yield
        finally:
            if self._pulse is not None:
                self._keep(self._pulse, run, since_ns)

    def close(self) -> None:
        """End the pulse."""
        if self._pulse is not None:
            self._pulse.close()
            self._pulse = None

    def _keep(self, pulse: Pulse, run: Run, since_ns: int) -> None:
        try:
            planned_ns, late_ms = pulse.late_ms(since_ns=since_ns)
        except InstrumentError as error:
            self._unknown(run, error)
            self.close()
            return
        run.series(DELAY, unit="ms", better="lower", definition=DEFINITION).add_many(late_ms, planned_ns)
        load = run.series(LOAD, unit="processes", better="none", definition=LOAD_DEFINITION)
        load.add(os.getloadavg()[0] / (os.cpu_count() or 1))

    @staticmethod
    def _unknown(run: Run, error: Exception) -> None:
        run.invalidate(f"whether the harness was starved is not known: {error}")


def starved(run: Run) -> list[str]:
    """Why the delays of the whole run make it invalid; empty when they do not, or when they are too few to say."""
    try:
        late_ms = run.values(DELAY)
    except RunError:  # a damaged file, which makes the run invalid by itself
        return []
    if len(late_ms) < LAG_SAMPLES_NEEDED:
        return []
    p99_ms = float(np.quantile(late_ms, 0.99, method="higher"))
    if p99_ms <= LAG_P99_LIMIT_MS:
        return []
    return [
        f"the harness itself was starved: 1 % of the times that it was to wake it did so {p99_ms:.1f} ms late or later "
        f"({len(late_ms)} times); at most {LAG_P99_LIMIT_MS:.0f} ms is right: stop what else uses this machine's "
        "processors, or measure with fewer simulated nodes or less load"
    ]
