"""timeline.jsonl: what happened in a run, one JSON object a line, appended by every process that takes part."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..errors import RunError

Event = dict[str, Any]
"""``at_ns`` (CLOCK_MONOTONIC), ``what``, and the fields that belong to it."""
TEST_BEGAN = "test-began"
TEST_ENDED = "test-ended"
"""What the plugin writes around each test: ``nodeid``, and at the end ``outcome``."""


def append(path: Path, what: str, *, at_ns: int | None = None, **fields: Any) -> None:
    """Write one line, in one write, so that lines of several processes do not mix. Raises :class:`RunError`."""
    event = {"at_ns": time.monotonic_ns() if at_ns is None else at_ns, "what": what, **fields}
    line = msgspec.json.encode(event, enc_hook=str) + b"\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            written = os.write(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RunError(f"{path}: cannot be appended to: {error.strerror}") from error
    if written != len(line):
        raise RunError(f"{path}: the disk is full; make room or choose another disk")


def read(path: Path) -> list[Event]:
    """All events by time. A line that was cut off, or that is none of ours, is left out; no file means no events."""
    return sorted(_events(path), key=lambda event: int(event["at_ns"]))


def _events(path: Path) -> Iterator[Event]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    for line in lines:
        try:
            event = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("at_ns"), int) and isinstance(event.get("what"), str):
            yield event
