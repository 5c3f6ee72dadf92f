"""An open load as suites use it: a plan goes in, what became of every request comes out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import numpy.typing as npt

from ..kube.access import Access
from .arrivals import Times
from .calls import Call, mixed
from .instrument import Instrument
from .load_process import LoadSettings
from .open_loop import Outcome, Sent
from .overhead import LAG_P99_LIMIT_MS, Overhead

SETTLE_S = 0.3
"""From every process being told to the first request."""
OPEN_S = 30.0
SLACK_S = 20.0
BEHIND_LIMIT = 0.01
"""A load that sent so much less than planned in the planned time was not the one that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """Requests at the times ``planned_ns`` (from 0 on), of the sorts in ``calls`` by their weights.

    ``connections`` is for all ``processes`` together. A request is late ``deadline_s`` after its planned time.
    """

    planned_ns: Times = field(repr=False)
    calls: tuple[Call, ...]
    connections: int = 64
    processes: int = 1
    deadline_s: float = 10.0
    server: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.processes <= self.connections:
            raise ValueError(f"{self.processes} processes need a connection each; there are {self.connections}")

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
        if not len(self.sent):
            return 0.0
        limit_ns = self.sent["planned_ns"][-1] + int(LAG_P99_LIMIT_MS * 1e6)
        return float((self.sent["started_ns"] > limit_ns).mean())

    @property
    def objections(self) -> tuple[str, ...]:
        """Why these figures are not those of the load that was planned; empty when they are."""
        found = [
            f"a load process started 1 % of its requests {one.lag_p99_ms:.1f} ms late or later; at most "
            f"{LAG_P99_LIMIT_MS:.0f} ms is right: use more processes, a lower rate, or a machine with less to do"
            for one in self.overheads
            if one.lag_p99_ms > LAG_P99_LIMIT_MS
        ]
        if self.behind > BEHIND_LIMIT:
            found.append(
                f"the load fell behind its plan by {self.behind:.1%}; at most {BEHIND_LIMIT:.0%} is right: use "
                "more connections or a lower rate"
            )
        return tuple(found)


def run_load(access: Access, plan: LoadPlan) -> LoadResult:
    """Send the plan, each process its share in turn; returns when every request has ended.

    Raises :class:`~.instrument.InstrumentError` when a connection cannot be opened or a process dies.
    """
    count = len(plan.planned_ns)
    calls, numbers = mixed(plan.calls, count, seed=plan.seed), np.arange(count, dtype=np.uint32)
    with tempfile.TemporaryDirectory(prefix="idcbench-load-") as text, ExitStack() as stack:
        folder = Path(text)
        senders: list[Instrument] = []
        for turn in range(plan.processes):
            share = slice(turn, None, plan.processes)
            file = folder / f"{turn}.npz"
            np.savez(file, planned_ns=plan.planned_ns[share], numbers=numbers[share], calls=calls[share])
            settings = LoadSettings(
                access=access,
                server=plan.server,
                calls=plan.calls,
                connections=len(range(turn, plan.connections, plan.processes)),
                deadline_s=plan.deadline_s,
                plan=file,
                records=folder / f"{turn}.npy",
            )
            senders.append(stack.enter_context(Instrument("idcbench.measure.load_process", settings)))
        for sender in senders:
            sender.ask("open", answer_within_s=OPEN_S)
        started_ns = time.monotonic_ns() + int(SETTLE_S * 1e9)
        limit_s = plan.duration_s + plan.deadline_s + SLACK_S
        answers = _all(senders, limit_s, start_ns=started_ns)
        sent = np.concatenate([np.load(folder / f"{turn}.npy") for turn in range(plan.processes)])
    return LoadResult(
        plan=plan,
        started_ns=started_ns,
        sent=sent[np.argsort(sent["number"], kind="stable")],
        overheads=tuple(Overhead(**answer["overhead"]) for answer in answers),
    )


def _all(senders: Sequence[Instrument], limit_s: float, *, start_ns: int) -> list[dict[str, Any]]:
    """Tell all at once and wait for each; the first error of any is raised."""
    answers: list[Any] = [None] * len(senders)

    def ask(turn: int) -> None:
        try:
            answers[turn] = senders[turn].ask("run", answer_within_s=limit_s, start_ns=start_ns)
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits
            answers[turn] = error

    threads = [Thread(target=ask, args=(turn,)) for turn in range(len(senders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers
