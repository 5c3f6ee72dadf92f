"""A series: values of one quantity with one set of labels, each with the time it was taken at."""

from __future__ import annotations

import hashlib
import re
import struct
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from ..errors import RunError
from . import records
from .schema import Better, Clock

DTYPE = np.dtype([("at_ns", "<i8"), ("value", "<f8")])
SUFFIX = ".series"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


class SeriesHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What the values of a series are; the ``about`` of its record file.

    ``signed`` series may hold negative values (an offset, a difference); in all others one is a bug and refused. Each
    value of a ``repetition`` series is that of one repetition, which a comparison takes as a round; a ``headline`` is
    among the few that a comparison answers for. Labels in ``chance`` came about by themselves and were not asked for:
    a comparison takes their values together.
    """

    name: str
    labels: dict[str, str] = {}
    unit: str
    better: Better
    clock: Clock = "monotonic"
    definition: str = ""
    signed: bool = False
    repetition: bool = False
    headline: bool = False
    chance: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """Where values of one series are appended. Any number of processes may do so at once; nothing is held open."""

    path: Path
    header: SeriesHeader

    def add(self, value: float, at_ns: int | None = None) -> None:
        """Append one value, taken at ``at_ns`` of the series' clock (now, when left out).

        Raises ``ValueError`` for NaN, infinity, and a negative value unless the series is ``signed``: a request
        without an answer is counted or logged, it has no latency. Raises :class:`~idcbench.errors.RunError`.
        """
        self._check(np.array([value], dtype=np.float64))
        stamp = self._now_ns() if at_ns is None else at_ns
        records.append(self.path, struct.pack("<qd", stamp, value), record_bytes=DTYPE.itemsize)

    def add_many(self, values: Iterable[float], at_ns: Iterable[int] | int | None = None) -> None:
        """Append values in one write, with a time for each or one for all; raises as :meth:`add`, then adds none."""
        taken = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=np.float64)
        self._check(taken)
        batch = np.empty(len(taken), dtype=DTYPE)
        batch["value"] = taken
        batch["at_ns"] = (
            self._now_ns()
            if at_ns is None
            else at_ns
            if isinstance(at_ns, int)
            else np.fromiter(at_ns, dtype=np.int64, count=len(taken))
        )
        records.append(self.path, batch.tobytes(), record_bytes=DTYPE.itemsize)

    def _now_ns(self) -> int:
        return time.monotonic_ns() if self.header.clock == "monotonic" else time.time_ns()

    def _check(self, values: npt.NDArray[np.float64]) -> None:
        if not np.isfinite(values).all():
            raise ValueError(f"{self.header.name}: NaN and infinity are no values; count what gave none")
        if not self.header.signed and (values < 0).any():
            raise ValueError(
                f"{self.header.name}: {values.min()} {self.header.unit} is negative; declare it signed=True"
            )


def open_series(folder: Path, header: SeriesHeader) -> Series:
    """The series in ``folder``, made when it is not there.

    Raises ``ValueError`` when the name is not one, or when the series is there with another unit, direction, clock or
    sign; the first definition given stands.
    """
    if not _NAME.fullmatch(header.name):
        raise ValueError(f"{header.name!r}: a series' name begins with a letter and holds letters, digits and . _ -")
    path = folder / file_name(header.name, header.labels)
    found = records.create(path, records.header_of(DTYPE, msgspec.to_builtins(header)))
    there = msgspec.convert(found.about, type=SeriesHeader)
    if msgspec.structs.replace(there, definition=header.definition) != header:
        raise ValueError(f"series {header.name} {header.labels}: wanted {header}, but it is there as {there}")
    return Series(path, there)


def read_series(path: Path) -> tuple[SeriesHeader, npt.NDArray[np.void]]:
    """A series' header and its records (``at_ns``, ``value``). Raises :class:`~idcbench.errors.RunError`."""
    header = records.read_header(path)
    if header.dtype != DTYPE:
        raise RunError(f"{path}: records of {header.dtype}, those of a series are {DTYPE}")
    return msgspec.convert(header.about, type=SeriesHeader), records.read(path)


def file_name(name: str, labels: Mapping[str, str]) -> str:
    """A name that people can read and that differs for every name and labels, whatever characters they hold."""
    said = ",".join([name, *(f"{key}={labels[key]}" for key in sorted(labels))])
    exact = hashlib.sha256(msgspec.json.encode([name, sorted(labels.items())])).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_.,=-]', '_', said)[:150]}-{exact}{SUFFIX}"
