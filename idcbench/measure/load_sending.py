"""Sending an open load's plan, by processes of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from ..kube.access import Access
from .calls import mixed
from .instrument import Instrument
from .load_plan import LoadPlan, LoadResult
from .load_process import LoadSettings
from .overhead import Overhead

SETTLE_S = 0.3
"""From every process being told to the first request."""
OPEN_S = 30.0
SLACK_S = 20.0


class ReadyLoad:
    """Load processes with their connections open; made by :func:`opened_load`."""

    def __init__(self, plan: LoadPlan, folder: Path, senders: Sequence[Instrument]) -> None:
        self._plan = plan
        self._folder = folder
        self._senders = senders

    def run(self) -> LoadResult:
        """Send the plan, each process its share in turn; once. Returns when every request has ended.

        Raises :class:`~.instrument.InstrumentError` when a process dies. The caller's process sleeps meanwhile.
        """
        plan = self._plan
        started_ns = time.monotonic_ns() + int(SETTLE_S * 1e9)
        limit_s = plan.duration_s + plan.deadline_s + SLACK_S
        answers = _all(self._senders, limit_s, start_ns=started_ns)
        sent = np.concatenate([np.load(self._folder / f"{turn}.npy") for turn in range(plan.processes)])
        return LoadResult(
            plan=plan,
            started_ns=started_ns,
            sent=sent[np.argsort(sent["planned_ns"], kind="stable")],
            overheads=tuple(Overhead(**answer["overhead"]) for answer in answers),
        )


@contextmanager
def opened_load(access: Access, plan: LoadPlan) -> Iterator[ReadyLoad]:
    """Start the load's processes and open their connections, so that sending is all that is left.

    Raises :class:`~.instrument.InstrumentError` when a connection cannot be opened.
    """
    count = len(plan.planned_ns)
    calls = mixed(plan.calls, count, seed=plan.seed) if plan.sorts is None else plan.sorts
    numbers = np.arange(count, dtype=np.uint32) if plan.numbers is None else plan.numbers
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
                http=plan.http,
                plan=file,
                records=folder / f"{turn}.npy",
            )
            senders.append(stack.enter_context(Instrument("idcbench.measure.load_process", settings)))
        for sender in senders:
            sender.ask("open", answer_within_s=OPEN_S)
        yield ReadyLoad(plan, folder, senders)


def send_load(access: Access, plan: LoadPlan) -> LoadResult:
    """Open, send the plan, and close; raises as :func:`opened_load` and :meth:`ReadyLoad.run`."""
    with opened_load(access, plan) as ready:
        return ready.run()


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
