"""A probe log: every request of a probe while one fault went on, as it was planned and as it ended."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from . import records

DTYPE = np.dtype(
    [
        ("planned_ns", "<i8"),
        ("started_ns", "<i8"),
        ("completed_ns", "<i8"),
        ("kind", "u1"),
        ("connection", "u1"),
        ("status", "<i2"),
        ("outcome", "u1"),
    ],
    align=True,
)
"""A request: CLOCK_MONOTONIC times, HTTP status (0 when there was no answer), and the codes below. 32 bytes."""

KINDS = ("read", "write")
CONNECTIONS = ("reused", "new")
OUTCOMES = ("ok", "failed", "unknown")
SUFFIX = ".probe"


class ProbeHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Whose requests these are; the ``about`` of the record file. ``deadline_ms`` where it is known."""

    fault: str
    repetition: int
    deadline_ms: float | None = None
    kinds: tuple[str, ...] = KINDS
    connections: tuple[str, ...] = CONNECTIONS
    outcomes: tuple[str, ...] = OUTCOMES


@dataclass(frozen=True, slots=True)
class ProbeLog:
    """Where the requests of one repetition are appended; several processes may do so at once."""

    path: Path
    header: ProbeHeader

    def add_many(self, requests: npt.NDArray[np.void] | Iterable[tuple[Any, ...]]) -> None:
        """Append requests in one write: a structured array with the fields of :data:`DTYPE`, or tuples in their order.

        Raises ``ValueError`` for other fields or codes, or a request that ended before it started, and then adds none.
        """
        if isinstance(requests, np.ndarray) and requests.dtype.names != DTYPE.names:
            raise ValueError(f"a probe log takes the fields {DTYPE.names}, not {requests.dtype.names}")
        batch = np.zeros(len(rows := requests if isinstance(requests, np.ndarray) else list(requests)), dtype=DTYPE)
        batch[:] = rows
        known = (
            (batch["kind"] < len(KINDS)) & (batch["connection"] < len(CONNECTIONS)) & (batch["outcome"] < len(OUTCOMES))
        )
        if not known.all():
            raise ValueError(
                f"unknown code in {batch[~known][0]}; kinds {KINDS}, connections {CONNECTIONS}, {OUTCOMES}"
            )
        if (batch["completed_ns"] < batch["started_ns"]).any():
            raise ValueError("a request cannot be completed before it started")
        records.append(self.path, batch.tobytes(), record_bytes=DTYPE.itemsize)


def open_probe_log(folder: Path, header: ProbeHeader) -> ProbeLog:
    """The log of one repetition of a fault in ``folder``, made when it is not there."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", header.fault) or header.repetition < 0:
        raise ValueError(f"{header.fault!r}, repetition {header.repetition}: letters, digits and . _ - name a fault")
    path = folder / f"probe-{header.fault}-{header.repetition}{SUFFIX}"
    found = records.create(path, records.header_of(DTYPE, msgspec.to_builtins(header)))
    return ProbeLog(path, msgspec.convert(found.about, type=ProbeHeader))


def read_probe_log(path: Path) -> tuple[ProbeHeader, npt.NDArray[np.void]]:
    """A log's header and its requests in the order they were planned. Raises :class:`~idcbench.errors.RunError`."""
    header = msgspec.convert(records.read_header(path).about, type=ProbeHeader)
    requests = records.read(path)
    return header, requests[np.argsort(requests["planned_ns"], kind="stable")]
