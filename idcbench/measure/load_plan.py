"""An open load's plan, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .arrivals import Times
from .calls import Call, Http
from .open_loop import Outcome, Sent
from .overhead import LAG_P99_LIMIT_MS, Overhead

BEHIND_LIMIT = 0.01
"""A load that sent so much less than planned in the planned time was not the one that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """Requests at the times ``planned_ns`` (from 0 on), of the sorts in ``calls`` by their weights.

    ``connections``, for all ``processes`` together, is how many requests may wait for their answers at once: over
    HTTP/1.1 each on a connection of its own, over ``http="2"`` 32 on each. A request is late ``deadline_s`` after its
    planned time. ``sorts`` and ``numbers`` say of each request which sort it is, and what number it bears, instead of
    the lot and its place.
    """

    planned_ns: Times = field(repr=False)
    calls: tuple[Call, ...]
    connections: int = 64
    processes: int = 1
    deadline_s: float = 10.0
    server: str = ""
    http: Http = "1.1"
    seed: int = 0
    sorts: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    numbers: npt.NDArray[np.uint32] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for given in (self.sorts, self.numbers):
            if given is not None and len(given) != len(self.planned_ns):
                raise ValueError(f"{len(given)} sorts or numbers do not fit {len(self.planned_ns)} requests")
        if not 1 <= self.processes <= self.connections:
            raise ValueError(f"{self.processes} processes need a connection each; there are {self.connections}")

    @property
    def peak_per_s(self) -> float:
        """The most requests that start within any second; of a plan shorter than that, its mean rate."""
        if len(self.planned_ns) < 2:
            return 0.0
        window_ns = min(1_000_000_000, max(1, int(self.planned_ns[-1] - self.planned_ns[0])))
        until = np.searchsorted(self.planned_ns, self.planned_ns + window_ns, side="left")
        return float((until - np.arange(len(self.planned_ns))).max()) * 1e9 / window_ns

    @property
    def duration_s(self) -> float:
        """Until the last request is to start."""
        return float(self.planned_ns[-1]) / 1e9 if len(self.planned_ns) else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What became of every request, by planned time; ``overheads`` is of each process."""

    plan: LoadPlan
    started_ns: int
    sent: Sent = field(repr=False)
    overheads: tuple[Overhead, ...]

    def latency_ms(self, call: str = "") -> npt.NDArray[np.float64]:
        """From planned time to whole answer, of the requests of that sort (all when empty) that were answered 2xx."""
        chosen = self.of(call)
        chosen = chosen[chosen["outcome"] == Outcome.OK]
        return np.asarray((chosen["completed_ns"] - chosen["planned_ns"]) / 1e6, dtype=np.float64)

    def of(self, call: str) -> Sent:
        """Those of one sort. Raises ``KeyError`` for one that the plan has not."""
        if not call:
            return self.sent
        names = [each.name for each in self.plan.calls]
        if call not in names:
            raise KeyError(f"the plan has no {call}; it has {', '.join(names)}")
        return np.asarray(self.sent[self.sent["call"] == names.index(call)])

    def counts(self, call: str = "") -> dict[Outcome, int]:
        """How many ended how."""
        outcomes = self.of(call)["outcome"]
        return {outcome: int((outcomes == outcome).sum()) for outcome in Outcome}

    @property
    def behind(self) -> float:
        """The share of requests that had not been started when the last one was, and the lag allowed."""
        return behind_of(self.sent)

    @property
    def objections(self) -> tuple[str, ...]:
        """Why these figures are not those of the load that was planned; empty when they are."""
        found = [
            f"a load process started 1 % of its requests {one.lag_p99_ms:.1f} ms late or later; at most "
            f"{LAG_P99_LIMIT_MS:.0f} ms is right: use more processes or connections, a lower rate, or a machine "
            "with less to do"
            for one in self.overheads
            if one.lag_p99_ms > LAG_P99_LIMIT_MS
        ]
        if self.behind > BEHIND_LIMIT:
            found.append(
                f"the load fell behind its plan by {self.behind:.1%}; at most {BEHIND_LIMIT:.0%} is right: use "
                "more connections or a lower rate"
            )
        return tuple(found)


def behind_of(sent: Sent) -> float:
    """:attr:`LoadResult.behind`, of requests in the order of their planned times."""
    if not len(sent):
        return 0.0
    limit_ns = sent["planned_ns"][-1] + int(LAG_P99_LIMIT_MS * 1e6)
    return float((sent["started_ns"] > limit_ns).mean())
