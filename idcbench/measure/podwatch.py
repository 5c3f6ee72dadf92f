"""A watch on pods as suites use it: when each pod took each step of its life, on one clock, as a watcher saw it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import IdcError
from ..kube.access import Access
from ..progress import Progress, silent
from .instrument import Instrument
from .overhead import LAG_P99_LIMIT_MS, LAG_SAMPLES_NEEDED, Overhead
from .podwatch_process import STAMPS, STEPS, PodWatchSettings

OPEN_S = 30.0
END_S = 10.0
TOLD_EVERY_S = 1.0
Times = npt.NDArray[np.int64]


class PodsMissingError(IdcError):
    """Pods did not come as far as they were to, in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSteps:
    """``steps_ns[i, k]`` is when an event first said that pod ``i`` took step ``k`` of :data:`~.podwatch_process.STEPS`
    (CLOCK_MONOTONIC at its receipt, before it was decoded), 0 when none did. ``server_s`` is the same for what the
    servers wrote, on their wall clocks. ``overhead`` has the watch's own lag: how late it gets to stamp what arrived.
    """

    names: tuple[str, ...]
    revisions: tuple[str, ...]
    steps_ns: Times = field(repr=False)
    server_s: Times = field(repr=False)
    late: Times = field(repr=False)
    overhead: Overhead

    def step(self, name: str) -> Times:
        """The times of one step, a value for each pod."""
        return np.asarray(self.steps_ns[:, STEPS.index(name)])

    def stamp(self, name: str) -> Times:
        """What the servers wrote of one step, in s since 1970."""
        return np.asarray(self.server_s[:, STAMPS.index(name)])

    def took(self, *steps: str) -> npt.NDArray[np.bool_]:
        """Which pods took all of these steps."""
        return np.asarray(np.all([self.step(name) > 0 for name in steps], axis=0))

    def only(self, chosen: npt.NDArray[np.bool_]) -> PodSteps:
        """Those pods alone."""
        at = np.flatnonzero(chosen)
        return PodSteps(
            names=tuple(self.names[i] for i in at), revisions=tuple(self.revisions[i] for i in at),
            steps_ns=self.steps_ns[at], server_s=self.server_s[at], late=self.late, overhead=self.overhead,
        )  # fmt: skip

    def alive(self) -> tuple[Times, Times]:
        """How many pods there were over time: the times of the changes, ascending, and the number from each on."""
        return _running_total(self.step("seen"), self.step("gone"))

    def available(self) -> tuple[Times, Times]:
        """How many pods were ready, and nobody had asked for their deletion, over time; as :meth:`alive`."""
        ready, going = self.step("ready"), self.step("going")
        return _running_total(ready, np.where(ready > 0, going, 0))

    @property
    def objections(self) -> tuple[str, ...]:
        """Why these times are not to be trusted; empty when they are."""
        lag_ms, known = self.overhead.lag_p99_ms, self.overhead.samples >= LAG_SAMPLES_NEEDED
        if known and lag_ms > LAG_P99_LIMIT_MS:
            return (f"the watch on pods was {lag_ms:.1f} ms late at p99; at most {LAG_P99_LIMIT_MS:.0f} ms is right",)
        return ()


class RunningPodWatch:
    """A watch at work; made by :func:`watching_pods`."""

    def __init__(self, instrument: Instrument, records: Path) -> None:
        self._instrument = instrument
        self._records = records

    def wait(self, step: str, count: int, *, timeout_s: float, progress: Progress = silent, what: str = "") -> None:
        """Wait until ``count`` pods have taken ``step``. Raises :class:`PodsMissingError` when too few have in time."""
        until = time.monotonic() + timeout_s
        while True:
            within_s = max(0.0, min(TOLD_EVERY_S, until - time.monotonic()))
            found = self._instrument.ask(
                "count", answer_within_s=within_s + END_S, step=step, at_least=count, within_s=within_s
            )
            if found >= count:
                return
            if time.monotonic() >= until:
                raise PodsMissingError(
                    f"{count} pods were to be {step} within {timeout_s:.0f} s, {found} were; see the scheduler's log, "
                    "and whether the nodes are ready and have room"
                )
            if what:
                progress(what, done=found, total=count, unit="pods")

    def steps(self) -> PodSteps:
        """All that was seen so far."""
        overhead = self._instrument.ask("end", answer_within_s=END_S)
        with np.load(self._records) as found:
            return PodSteps(
                names=tuple(map(str, found["names"])), revisions=tuple(map(str, found["revisions"])),
                steps_ns=found["steps_ns"], server_s=found["server_s"], late=found["late"],
                overhead=Overhead(**overhead),
            )  # fmt: skip


@contextmanager
def watching_pods(
    access: Access, namespace: str = "", *, query: Mapping[str, str] | None = None
) -> Iterator[RunningPodWatch]:
    """Watch the pods of a namespace (of all, without one) that begin from now on, until the block is left.

    ``query`` may hold selectors. Raises :class:`~.instrument.InstrumentError` when they cannot be listed.
    """
    path = f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods"
    with tempfile.TemporaryDirectory(prefix="idcbench-pods-") as folder:
        records = Path(folder) / "pods.npz"
        settings = PodWatchSettings(access=access, path=path, query=dict(query or {}), records=records)
        with Instrument("idcbench.measure.podwatch_process", settings) as instrument:
            instrument.ask("open", answer_within_s=OPEN_S)
            yield RunningPodWatch(instrument, records)


def _running_total(more: Times, less: Times) -> tuple[Times, Times]:
    at = np.concatenate([more[more > 0], less[less > 0]])
    change = np.concatenate([np.ones((more > 0).sum(), np.int64), -np.ones((less > 0).sum(), np.int64)])
    order = np.argsort(at, kind="stable")
    return np.asarray(at[order]), np.cumsum(change[order])
