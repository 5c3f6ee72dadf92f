"""The probe as suites use it: a synchronous handle on an open-loop stream of requests in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from ..kube.access import Access
from .auditing import written_name
from .instrument import Instrument
from .outage import StreamSummary, summarise
from .overhead import LAG_SAMPLES_NEEDED, Overhead
from .plan import Kind, Plan, Reuse
from .probe_process import READ_BACK_S, WATCH_GRACE_S, ProbeSettings
from .requests import Requests, of_stream

START_S = 30.0
SLACK_S = 10.0
"""Added to what the probe allows itself, before its parent calls it dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchResult:
    """What a watch saw of the acknowledged writes.

    ``latency_ms`` counts from the planned start of each write to the arrival of its event at ``arrived_ns``;
    ``missing`` never arrived though acknowledged, ``repeated`` came more than once. ``connections`` is 1 when the
    watch never had to resume; ``relists`` counts when it could not.
    """

    arrived_ns: npt.NDArray[np.int64] = field(repr=False)
    latency_ms: npt.NDArray[np.float64] = field(repr=False)
    missing: tuple[str, ...]
    repeated: tuple[str, ...]
    connections: int
    relists: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """Everything that a probe recorded, and what the cluster had of its writes at the end.

    ``lost`` names acknowledged writes that a list at the end did not hold; ``unknown_there`` counts those writes of
    unknown outcome that it did hold. ``surprises`` are errors that the cluster cannot have caused: faults of the probe.
    """

    plan: Plan
    started_ns: int
    ended_ns: int
    requests: Requests = field(repr=False)
    overhead: Overhead
    acknowledged: int
    lost: tuple[str, ...]
    unknown: int
    unknown_there: int
    watch: WatchResult | None
    surprises: tuple[str, ...] = ()

    def stream(self, kind: Kind, connection: Reuse) -> Requests:
        """The records of one stream, by planned start."""
        return of_stream(self.requests, kind, connection)

    def summary(self, kind: Kind, connection: Reuse, *, since_ns: int, until_ns: int) -> StreamSummary:
        """What happened to one stream in a window; see :func:`idcbench.measure.outage.summarise`."""
        interval_ns = self.plan.stream(kind, connection).interval_ns
        requests = self.stream(kind, connection)
        return summarise(requests, interval_ns=interval_ns, since_ns=since_ns, until_ns=until_ns)


class RunningProbe:
    """A probe that is sending. ``started_ns`` is the planned start of its first request."""

    def __init__(self, instrument: Instrument, plan: Plan, records: Path) -> None:
        self.plan = plan
        self._instrument = instrument
        self._records = records
        self._result: ProbeResult | None = None
        answer = instrument.ask("start", answer_within_s=2 * START_S + SLACK_S, timeout_s=START_S)
        self.started_ns: int = answer["started_ns"]
        self.namespace: str = answer["namespace"]

    def wait_steady(self, *, for_s: float = 2.0, after_ns: int = 0, timeout_s: float = 60.0) -> int:
        """Wait until everything planned during ``for_s`` succeeded, not counting what was before ``after_ns``.

        Returns from when it did (CLOCK_MONOTONIC, ns). Raises :class:`InstrumentError` when that is not so within
        ``timeout_s``.
        """
        steady_since_ns: int = self._instrument.ask(
            "steady", answer_within_s=timeout_s + SLACK_S, for_s=for_s, after_ns=after_ns, timeout_s=timeout_s
        )
        return steady_since_ns

    def stop(self) -> ProbeResult:
        """End the stream, read every acknowledged write back, remove the namespace. The second time: the same result.

        Raises :class:`InstrumentError` when the cluster does not answer long enough to read the writes back.
        """
        if self._result is None:
            limit_s = self.plan.deadline_s + WATCH_GRACE_S + 2 * READ_BACK_S + SLACK_S
            summary = self._instrument.ask("stop", answer_within_s=limit_s)
            self._result = _result(self.plan, self.started_ns, np.load(self._records), summary)
        return self._result


class Prober:
    """Starts probes on one cluster."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @contextmanager
    def running(self, plan: Plan | None = None) -> Iterator[RunningProbe]:
        """A probe that sends ``plan`` until :meth:`RunningProbe.stop`, at the latest until the block is left.

        Raises :class:`InstrumentError` when the cluster does not take its first write within 30 s.
        """
        plan = plan or Plan()
        with tempfile.TemporaryDirectory(prefix="idcbench-probe-") as folder:
            records = Path(folder) / "requests.npy"
            settings = ProbeSettings(access=self._access, plan=plan, records=records)
            with Instrument("idcbench.measure.probe_process", settings) as instrument:
                yield RunningProbe(instrument, plan, records)

    def overhead(self, plan: Plan | None = None, *, timeout_s: float = 60.0) -> Overhead:
        """Measure what the probe costs and how late it is, on the cluster as it is, before anything is broken.

        Runs the plan until its lag is known well enough. Raises :class:`InstrumentError` when requests keep failing.
        """
        plan = plan or Plan()
        needed_s = 1 + 1.05 * LAG_SAMPLES_NEEDED / sum(stream.rate_per_s for stream in plan.streams)
        with self.running(plan) as probe:
            probe.wait_steady(for_s=needed_s, timeout_s=timeout_s)
            return probe.stop().overhead


def _result(plan: Plan, started_ns: int, requests: Requests, summary: dict[str, Any]) -> ProbeResult:
    watch = summary["watch"]
    return ProbeResult(
        plan=plan,
        started_ns=started_ns,
        ended_ns=summary["ended_ns"],
        requests=requests,
        overhead=msgspec.convert(summary["overhead"], type=Overhead),
        acknowledged=summary["acknowledged"],
        lost=tuple(summary["lost"]),
        unknown=summary["unknown"],
        unknown_there=summary["unknown_there"],
        surprises=tuple(summary["surprises"]),
        watch=None if watch is None else _watch_result(requests, watch),
    )


def _watch_result(requests: Requests, watch: dict[str, Any]) -> WatchResult:
    arrived: dict[str, int] = watch["arrived_ns"]
    seen = [
        (arrived[name], int(row["planned_ns"])) for row in requests if (name := written_name(row["number"])) in arrived
    ]
    times = np.array(sorted(seen), dtype=np.int64).reshape(-1, 2)
    return WatchResult(
        arrived_ns=times[:, 0],
        latency_ms=(times[:, 0] - times[:, 1]) / 1e6,
        missing=tuple(watch["missing"]),
        repeated=tuple(watch["repeated"]),
        connections=watch["connections"],
        relists=watch["relists"],
    )
