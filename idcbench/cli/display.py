"""Shows what is being waited for, since when, out of how much: live on a terminal, a line each 10 s without one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.live import Live

LINE_EVERY_S = 10.0
SHOW_AFTER_S = 0.5
"""A step that is over sooner is not worth a flicker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is being waited for, and how far it is."""

    what: str
    since_s: float
    done: float = 0
    total: float | None = None
    unit: str = ""

    def line(self, now_s: float) -> str:
        """``fetching etcd: 12 of 27 MB, since 20 s, about 25 s more``."""
        spent_s = now_s - self.since_s
        said = [f"since {duration(spent_s)}"]
        if self.total is not None:
            said.insert(0, amount(self.done, self.total, self.unit))
            if 0 < self.done < self.total and spent_s >= 3.0 and self.unit not in ("test", "tests"):
                said.append(f"about {duration(spent_s * (self.total - self.done) / self.done)} more")
        elif self.done:
            said.insert(0, f"{self.done:g} {self.unit}".strip())
        return f"{self.what}: {', '.join(said)}"


def duration(seconds: float) -> str:
    """``8 s``, ``2 min 5 s``, ``1 h 12 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def amount(done: float, total: float, unit: str) -> str:
    """``12 of 27 MB`` for bytes (``B``), the plain numbers otherwise."""
    if unit in ("B", "bytes"):
        return f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"
    return f"{done:g} of {total:g} {unit}".strip()


class Display:
    """A :class:`~idcbench.progress.Progress`. ``what=""`` says that nothing is waited for. May be called from threads.

    ``before`` is called before a live line appears, for who has left the cursor inside a line.
    """

    def __init__(self, stream: TextIO, *, before: Callable[[], None] | None = None) -> None:
        self._stream = stream
        self._before = before
        self._on_terminal = stream.isatty()
        if self._on_terminal:
            from .liveline import live_line  # rich takes a while to import: now, not while something is measured

            self._live_line = live_line
        self._step: Step | None = None
        self._live: Live | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def __call__(self, what: str, *, done: float = 0, total: float | None = None, unit: str = "") -> None:
        with self._changed:
            former, self._step = self._step, self._next(what, done, total, unit)
            if self._step is None and self._live is not None:
                self._live.stop()
                self._live = None
            if (former is None) != (self._step is None):
                self._changed.notify_all()
            if self._thread is None and self._step is not None:
                self._thread = threading.Thread(target=self._watch, name="idcbench-display", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop showing, and close the stream."""
        self("")
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._stream.close()

    def _next(self, what: str, done: float, total: float | None, unit: str) -> Step | None:
        if not what:
            return None
        same = self._step is not None and self._step.what == what
        since_s = self._step.since_s if self._step and same else time.monotonic()
        return Step(what=what, since_s=since_s, done=done, total=total, unit=unit)

    def _watch(self) -> None:
        """Show what is waited for once it lasts: by lines again and again, live until nothing is."""
        after_s = SHOW_AFTER_S if self._on_terminal else LINE_EVERY_S
        with self._changed:
            while not self._closed:
                self._changed.wait_for(self._is_due)
                idle = self._changed.wait_for(self._is_idle, timeout=after_s)
                if idle:
                    continue
                if self._on_terminal:
                    self._begin_live()
                    self._changed.wait_for(self._is_idle)
                elif self._step is not None:
                    self._stream.write(f"idcbench: {self._step.line(time.monotonic())}\n")
                    self._stream.flush()

    def _is_due(self) -> bool:
        return self._step is not None or self._closed

    def _is_idle(self) -> bool:
        return self._step is None

    def _begin_live(self) -> None:
        if self._before is not None:
            self._before()
        self._live = self._live_line(self._stream, lambda: self._step)
        self._live.start(refresh=True)
