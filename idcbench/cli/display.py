"""Shows what is being waited for, since when, out of how much: live on a terminal, a line each 10 s without one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from .step import Step

if TYPE_CHECKING:
    from rich.live import Live

LINE_EVERY_S = 10.0
SHOW_AFTER_S = 0.5
"""A step that is over sooner is not worth a flicker."""


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
