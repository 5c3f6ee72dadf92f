"""The display: what a line says, live and without a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.cli import display as display_module
from idcbench.cli.display import Display
from idcbench.cli.step import Step, amount, duration

LIMIT_S = 10.0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (4330, "1 h 12 min")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_a_duration_has_no_sixty_seconds_or_minutes(first: float, second: float) -> None:
    for seconds in (first, second):
        assert not re.search(r"\b60 (s|min)\b", duration(seconds))  # 60 hours are none of another unit


def test_amounts() -> None:
    assert amount(12_300_000, 27_000_000, "B") == "12 of 27 MB"
    assert amount(3, 50, "nodes") == "3 of 50 nodes"
    assert amount(3, 5, "") == "3 of 5"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Step(what="x", since_s=90), "x: since 10 s"),
        (Step(what="x", since_s=90, done=4, unit="retries"), "x: 4 retries, since 10 s"),
        (Step(what="x", since_s=90, done=1, total=4), "x: 1 of 4, since 10 s, about 30 s more"),
        (Step(what="x", since_s=99, done=1, total=4), "x: 1 of 4, since 1 s"),
        (Step(what="x", since_s=90, done=4, total=4), "x: 4 of 4, since 10 s"),
        (Step(what="x", since_s=90, done=0, total=4), "x: 0 of 4, since 10 s"),
    ],
)
def test_a_line(step: Step, said: str) -> None:
    assert step.line(now_s=100.0) == said


class Stream(io.StringIO):
    """What was written, kept after closing."""

    def __init__(self) -> None:
        super().__init__()
        self.said = ""
        self.wrote = threading.Event()

    def write(self, text: str) -> int:
        self.said += text
        self.wrote.set()
        return len(text)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_without_a_terminal_a_line_comes_at_each_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display_module, "LINE_EVERY_S", 0.02)
    stream = Stream()
    display = Display(stream)
    display("fetching etcd", done=1, total=2)
    wait_for(lambda: stream.said.count("\n") >= 2)
    display("starting cp1")
    wait_for(lambda: "starting cp1: since 0 s\n" in stream.said)
    display.close()
    assert stream.said.startswith("idcbench: fetching etcd: 1 of 2, since 0 s\n")
    assert stream.closed


def test_what_is_over_within_the_interval_says_nothing() -> None:
    stream = Stream()
    display = Display(stream)
    for step in ("a", "b", ""):
        display(step)
    display.close()
    assert stream.said == ""


def test_on_a_terminal_a_live_line_comes_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display_module, "SHOW_AFTER_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    came_before = threading.Event()
    display = Display(os.fdopen(theirs, "w"), before=came_before.set)
    said: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(ours, said), daemon=True)
    reader.start()
    display("waiting for cp1", done=1, total=3, unit="hosts")
    wait_for(lambda: b"waiting for cp1: 1 of 3 hosts" in b"".join(said))
    assert came_before.is_set()
    display("waiting for cp2")
    wait_for(lambda: b"waiting for cp2: since" in b"".join(said))
    display("")
    display.close()
    reader.join(LIMIT_S)
    os.close(ours)
    assert b"".join(said).rstrip().endswith(b"\x1b[2K")  # the line is cleared


def _read_all(descriptor: int, said: list[bytes]) -> None:
    while True:
        try:
            piece = os.read(descriptor, 4096)
        except OSError:  # the other end is closed
            return
        if not piece:
            return
        said.append(piece)
