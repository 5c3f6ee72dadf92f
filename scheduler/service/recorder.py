"""Writes events: behind bindings, the same again as a series, none lost without being counted and logged."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass
from typing import Literal

from ..objects import Pod
from .eventbody import EventBody, Reason, event, series
from .measures import Measures
from .settings import WriteSettings
from .write import Answer, Write
from .writer import Writer

FINISH_S = 360.0
"""An event that was not seen again for so long begins anew (client-go's finishTime)."""
REFRESH_S = 1800.0
"""The count of a series that goes on is written so often (client-go's refreshTime)."""
RETRY_S = 1.0
RETRY_MOST_S = 10.0
LOGGED_EVERY_S = 5.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Series:
    """``count`` times seen, of which ``written`` stand in the API."""

    event: EventBody
    count: int
    written: int
    seen_s: float
    written_s: float


class Recorder:
    """:meth:`scheduled`, :meth:`failed` and :meth:`preempted` never wait; :meth:`tend` has to run beside."""

    def __init__(self, writer: Writer, settings: WriteSettings, measures: Measures) -> None:
        self._writer = writer
        self._settings = settings
        self._measures = measures
        self._series: dict[tuple[str, ...], _Series] = {}
        self._logged_s = 0.0
        self._dropped = 0
        self.waiting = 0
        """Events that were not written yet."""

    def scheduled(self, pod: Pod, node: str) -> None:
        """A pod is bound once, so this event is never a series."""
        note = f"Successfully assigned {pod.metadata.namespace}/{pod.metadata.name} to {node}"
        self._write(event("Scheduled", pod, note, reporter=pod.spec.scheduler_name), b"")

    def failed(self, pod: Pod, message: str) -> None:
        self._record(event("FailedScheduling", pod, message, reporter=pod.spec.scheduler_name))

    def preempted(self, victim: Pod, preemptor: Pod, node: str) -> None:
        note = f"Preempted by pod {preemptor.metadata.uid} on node {node}"
        self._record(event("Preempted", victim, note, reporter=preemptor.spec.scheduler_name, related=preemptor))

    async def tend(self) -> None:
        """Write the counts of series that ended or went on for long, for ever."""
        while True:
            await asyncio.sleep(FINISH_S / 12)
            now_s = time.monotonic()
            for key, known in list(self._series.items()):
                over = now_s - known.seen_s >= FINISH_S
                if known.count > known.written and (over or now_s - known.written_s >= REFRESH_S):
                    self._write_series(known)
                if over:
                    del self._series[key]

    def _record(self, new: EventBody) -> None:
        now_s = time.monotonic()
        known = self._series.get(new.key)
        if known is None:
            self._series[new.key] = _Series(new, 1, 1, now_s, now_s)
            self._write(new, b"")
            return
        known.count += 1
        known.seen_s = now_s
        if known.count == 2:
            self._write_series(known)

    def _write_series(self, known: _Series) -> None:
        known.written, known.written_s = known.count, time.monotonic()
        self._write(known.event, series(known.count))

    def _write(self, what: EventBody, counted: bytes, *, tries: int = 0, anew: bool = False) -> None:
        """Create the event, or add ``counted`` to it; ``anew`` creates it with that, as it is not there any more."""
        if self.waiting >= self._settings.events_most:
            self._drop(what.reason, "full", f"{self.waiting} wait already")
            return
        self.waiting += 1

        def settled(answer: Answer) -> None:
            self.waiting -= 1
            self._settle(what, counted, answer, tries, anew)

        if counted and not anew:
            patch, path = b'{"series":%b}' % counted, f"{what.path}/{what.name}"
            kind = "application/strategic-merge-patch+json"
            self._writer.submit(Write("PATCH", path, patch, settled, kind, event=True))
        else:
            self._writer.submit(Write("POST", what.path, what.body(counted), settled, event=True))

    def _settle(self, what: EventBody, counted: bytes, answer: Answer, tries: int, anew: bool) -> None:
        if answer.ok or (answer.status == 409 and not counted):  # its name is its own: it is there already
            self._measures.event_written(what.reason)
        elif answer.status == 404 and counted and not anew:
            self._write(what, counted, tries=tries, anew=True)
        elif answer.status == 409:  # the count overtook the event that it belongs to, which is there by now
            self._again(what, counted, answer, tries, anew=False)
        elif (answer.status in (404, 403) and b"NamespaceTerminating" in answer.body) or answer.status == 404:
            self._drop(what.reason, "namespace-gone", f"namespace {what.namespace} is going")
        elif answer.status in (0, 401, 403, 429) or answer.status >= 500:  # one that starts knows nobody's roles yet
            self._again(what, counted, answer, tries, anew)
        else:
            self._drop(what.reason, "refused", f"{what.name}: {answer.status} {answer.body[:300]!r}")

    def _again(self, what: EventBody, counted: bytes, answer: Answer, tries: int, anew: bool) -> None:
        if tries + 1 >= self._settings.event_tries:
            self._drop(what.reason, "refused", f"{what.name}: not taken in {tries + 1} tries ({answer.status})")
            return
        delay_s = min(RETRY_MOST_S, RETRY_S * 2.0**tries) * random.uniform(0.75, 1.25)
        self.waiting += 1

        def retry() -> None:
            self.waiting -= 1
            self._write(what, counted, tries=tries + 1, anew=anew)

        asyncio.get_running_loop().call_later(delay_s, retry)

    def _drop(self, reason: Reason, why: Literal["full", "refused", "namespace-gone"], because: str) -> None:
        self._measures.event_dropped(reason, why=why)
        self._dropped += 1
        now_s = time.monotonic()
        if now_s - self._logged_s >= LOGGED_EVERY_S:
            _log.error("%d events were dropped, the last one %s: %s", self._dropped, reason, because)
            self._dropped, self._logged_s = 0, now_s
