"""The records of a probe: what became of every request."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from .plan import CONNECTIONS, KINDS, Kind, Reuse


class Outcome(IntEnum):
    """``UNKNOWN`` is a write that was sent and not answered in time: neither lost nor acknowledged."""

    OK = 0
    FAILED = 1
    UNKNOWN = 2


REQUEST = np.dtype(
    [
        ("planned_ns", "<i8"),
        ("started_ns", "<i8"),
        ("completed_ns", "<i8"),
        ("number", "<u4"),
        ("kind", "u1"),
        ("connection", "u1"),
        ("status", "<i2"),
        ("outcome", "u1"),
        ("opened", "u1"),
    ]
)
"""CLOCK_MONOTONIC times; ``connection`` is the stream's, ``opened`` is 1 when the request did open a connection."""
LOG_FIELDS = ("planned_ns", "started_ns", "completed_ns", "kind", "connection", "status", "outcome")

Requests = npt.NDArray[np.void]


def of_stream(requests: Requests, kind: Kind, connection: Reuse) -> Requests:
    """Those of one stream."""
    chosen: Requests = requests[
        (requests["kind"] == KINDS.index(kind)) & (requests["connection"] == CONNECTIONS.index(connection))
    ]
    return chosen


def log_rows(requests: Requests) -> Requests:
    """The fields that a run's probe log keeps."""
    rows = np.empty(len(requests), dtype=[(name, REQUEST.fields[name][0]) for name in LOG_FIELDS])  # type: ignore[index]
    for name in LOG_FIELDS:
        rows[name] = requests[name]
    return rows
