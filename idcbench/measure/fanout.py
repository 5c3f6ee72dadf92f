"""Many watchers of one collection, as suites use them: when each event arrived at each, and which never did."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..kube.access import Access
from .fanout_process import MARK, FanoutSettings
from .instrument import Instrument
from .overhead import LAG_P99_LIMIT_MS, LAG_SAMPLES_NEEDED, Overhead

A_PROCESS = 500
"""Watchers in one process: its descriptors, and what it reads in one turn, stay bounded."""
OPEN_S = 120.0
END_S = 20.0
EVENT_MARK = MARK.decode() + "{n}"
"""What a write puts into the object, for its event to be known by the write's number (:mod:`.calls`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """``received_ns[i, k]``: when event ``k`` arrived at watcher ``i`` (CLOCK_MONOTONIC), 0 when it never did.

    ``late`` is how late the processes got to do what was due (time, ns); ``ended`` how many streams broke off.
    """

    received_ns: npt.NDArray[np.int64] = field(repr=False)
    late: npt.NDArray[np.int64] = field(repr=False)
    overheads: tuple[Overhead, ...]
    ended: int

    @property
    def missing(self) -> int:
        """Events that never arrived, of all watchers."""
        return int((self.received_ns == 0).sum())

    def since_ms(self, begun_ns: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """From each event's beginning to its arrival, of all that arrived; and the times of arrival."""
        arrived = self.received_ns > 0
        return ((self.received_ns - begun_ns) / 1e6)[arrived], self.received_ns[arrived]

    @property
    def objections(self) -> tuple[str, ...]:
        """Why these times are not to be trusted; empty when they are."""
        found = [
            f"a process of watchers was {one.lag_p99_ms:.1f} ms late at p99; at most {LAG_P99_LIMIT_MS:.0f} ms is right"
            for one in self.overheads
            if one.samples >= LAG_SAMPLES_NEEDED and one.lag_p99_ms > LAG_P99_LIMIT_MS
        ]
        return (*found, *([f"{self.ended} of the watchers' streams broke off"] if self.ended else []))


class RunningFanout:
    """Watchers at work; made by :func:`watchers_of`."""

    def __init__(self, instruments: Sequence[Instrument], records: Sequence[Path], watchers: Sequence[int]) -> None:
        self._instruments = instruments
        self._records = records
        self._watchers = watchers

    def heard(self, events: int, *, timeout_s: float) -> Heard:
        """What arrived of events 0 to ``events - 1``, when each watcher has heard of all, or the time is over."""
        until = time.monotonic() + timeout_s
        for instrument, watchers in zip(self._instruments, self._watchers, strict=True):
            within_s = max(0.0, until - time.monotonic())
            instrument.ask("wait", answer_within_s=within_s + END_S, at_least=watchers * events, within_s=within_s)
        ends = [instrument.ask("end", answer_within_s=END_S) for instrument in self._instruments]
        ended = sum(end.pop("ended") for end in ends)
        received_ns, late = np.zeros((sum(self._watchers), events), dtype=np.int64), []
        for path in self._records:
            with np.load(path) as found:
                received, own_late = found["received"], found["late"]
            late.append(own_late)
            received = received[received["number"] < events][::-1]  # of one that came twice, the first counts
            received_ns[received["watcher"], received["number"]] = received["received_ns"]
        return Heard(
            received_ns=received_ns, late=np.concatenate(late), overheads=tuple(Overhead(**end) for end in ends),
            ended=ended,
        )  # fmt: skip


@contextmanager
def watchers_of(access: Access, path: str, *, watchers: int) -> Iterator[RunningFanout]:
    """So many watchers of ``path``, each on a connection of its own, from now until the block is left.

    Raises :class:`~.instrument.InstrumentError` when one of them is refused or cannot connect.
    """
    with tempfile.TemporaryDirectory(prefix="idcbench-fanout-") as text, ExitStack() as stack:
        firsts = range(0, watchers, A_PROCESS)
        counts = [min(A_PROCESS, watchers - first) for first in firsts]
        records = [Path(text) / f"{first}.npz" for first in firsts]
        instruments = [
            stack.enter_context(
                Instrument(
                    "idcbench.measure.fanout_process",
                    FanoutSettings(access=access, path=path, first=first, watchers=count, records=file),
                )
            )
            for first, count, file in zip(firsts, counts, records, strict=True)
        ]
        for instrument in instruments:
            instrument.ask("open", answer_within_s=OPEN_S)
        yield RunningFanout(instruments, records, counts)
