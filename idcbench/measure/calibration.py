"""The load instrument tried on servers whose delays, stalls and losses are known: how far off is each measure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from ..kube.access import Access
from .arrivals import constant
from .calls import Call
from .load import pool
from .loader import LoadPlan, LoadResult, run_load
from .open_loop import Outcome
from .synthetic import Behaviour, SyntheticServer, SyntheticSettings

READ = Call(name="read", path="/api/v1/namespaces/default/configmaps/a")
RATE_PER_S = 200.0
CLOSED_JOBS_PER_S = 1000
"""More than a closed loop of a few connections does: it ends by the clock."""
CLOSED_CONNECTIONS = 4
STALL_AT_S, STALL_MS = 2.0, 500.0
DELAYS_MS = {2.0: 1.0, 20.0: 1.0, 100.0: 5.0}
"""Known delays, and how far off the median may be."""
LOSS = 0.02


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One measure against the truth, in ``unit``; ``limit`` is how far off it may be, ``None`` if only shown."""

    measure: str
    truth: float
    measured: float
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def error(self) -> float:
        return self.measured - self.truth

    @property
    def good(self) -> bool:
        """Within the limit, or without one."""
        return self.limit is None or abs(self.error) <= self.limit


def calibrate(*, seconds: float = 8.0, tell: Callable[[str], None] = lambda _: None) -> Iterator[Reading]:
    """Each measure in turn. Raises :class:`~.instrument.InstrumentError` when the instrument fails."""
    for delay_ms, limit_ms in DELAYS_MS.items():
        tell(f"a delay of {delay_ms:g} ms")
        result, _ = _measured(Behaviour(delay_ms=delay_ms), seconds)
        median = float(np.median(result.latency_ms()))
        yield Reading(measure="delay, p50", truth=delay_ms, measured=median, unit="ms", limit=limit_ms)
        yield _lag(result)
    yield from _stall(seconds, tell)
    tell(f"a loss of {LOSS:.0%}")
    result, lost = _measured(Behaviour(loss=LOSS, seed=1), seconds)
    broken = result.counts()[Outcome.BROKEN]
    yield Reading(measure="requests lost", truth=lost, measured=broken, unit="requests", limit=0.0)
    yield Reading(
        measure="requests answered", truth=len(result.sent) - lost, measured=result.counts()[Outcome.OK],
        unit="requests", limit=0.0,
    )  # fmt: skip


def _stall(seconds: float, tell: Callable[[str], None]) -> Iterator[Reading]:
    """What it does to the open loop, and to a closed one, which does not ask while it waits."""
    tell(f"a stall of {STALL_MS:g} ms, open loop")
    behaviour = Behaviour(delay_ms=2.0, stall_at_s=STALL_AT_S, stall_ms=STALL_MS)
    result, _ = _measured(behaviour, seconds)
    latency_ms = result.latency_ms()
    longest_ms = float(latency_ms.max())
    yield Reading(measure="stall, longest latency", truth=STALL_MS, measured=longest_ms, unit="ms", limit=10.0)
    due = STALL_MS * (1 - 0.001 * seconds / (STALL_MS / 1000))  # latencies fall evenly from the stall's length to 0
    yield Reading(
        measure="stall, p99.9", truth=due, measured=float(np.quantile(latency_ms, 0.999)), unit="ms", limit=15.0,
        note=f"of {len(latency_ms)} requests at {RATE_PER_S:g}/s",
    )  # fmt: skip
    tell(f"a stall of {STALL_MS:g} ms, closed loop")
    closed_ms = asyncio.run(_closed(behaviour, seconds))
    yield Reading(
        measure="stall, p99.9 by a closed loop", truth=due, measured=float(np.quantile(closed_ms, 0.999)), unit="ms",
        note=f"of {len(closed_ms)} requests on {CLOSED_CONNECTIONS} connections: coordinated omission, for comparison",
    )  # fmt: skip


def _measured(behaviour: Behaviour, seconds: float) -> tuple[LoadResult, int]:
    with SyntheticServer(SyntheticSettings(behaviour=behaviour)) as server:
        plan = LoadPlan(planned_ns=constant(RATE_PER_S, seconds), calls=(READ,), connections=128, deadline_s=5.0)
        return run_load(_access(server), plan), server.lost()


async def _closed(behaviour: Behaviour, seconds: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The latency that a closed loop reports: from when it came to send."""
    with SyntheticServer(SyntheticSettings(behaviour=behaviour)) as server:
        async with pool(_access(server), size=CLOSED_CONNECTIONS) as clients:
            request = clients.request("GET", READ.path)
            load = await clients.closed_loop([[request]] * int(seconds * CLOSED_JOBS_PER_S))
    return np.asarray((load.step_ns[:, 0] - load.started_ns) / 1e6, dtype=np.float64)


def _lag(result: LoadResult) -> Reading:
    (overhead,) = result.overheads
    return Reading(measure="start lag, p99", truth=0.0, measured=overhead.lag_p99_ms, unit="ms", limit=5.0)


def _access(server: SyntheticServer) -> Access:
    return Access(server=server.url, kubeconfig=Path())
