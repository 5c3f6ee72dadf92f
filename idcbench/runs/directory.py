"""The run directory: made once, written to by every process of the run, finished once, read by the reports."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from ..errors import RunError
from . import probelog, series, timeline
from .document import DOCUMENT, read_document, replace_file, write_document
from .machine import audit_clocks, clock_faults, machine_facts, read_clocks, software_versions
from .metrics import damage_of, metrics_of
from .schema import Better, Check, Clock, ClockAudit, RunDocument, TestCounts, Validity, to_plain

LATEST = "latest"
CUT_OFF = "the run was cut off before its end, or is still going on; what it had measured by then is shown"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Run:
    """One run directory. Picklable by its ``path``; nothing is held open, so processes may share it as they like."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def series(
        self,
        name: str,
        *,
        unit: str,
        better: Better,
        labels: Mapping[str, str] | None = None,
        clock: Clock = "monotonic",
        definition: str = "",
        signed: bool = False,
        repetition: bool = False,
        headline: bool = False,
        chance: Sequence[str] = (),
    ) -> series.Series:
        """The series of that name and labels, made when it is not there; see :func:`idcbench.runs.series.open_series`.

        ``better`` says which way is better, ``definition`` what exactly the value is (shown in the report); the rest is
        as in :class:`idcbench.runs.series.SeriesHeader`.
        """
        header = series.SeriesHeader(
            name=name,
            labels={key: str(value) for key, value in sorted((labels or {}).items())},
            unit=unit,
            better=better,
            clock=clock,
            definition=definition,
            signed=signed,
            repetition=repetition,
            headline=headline,
            chance=tuple(chance),
        )
        return series.open_series(self.path / "samples", header)

    def values(self, name: str, labels: Mapping[str, str] | None = None) -> npt.NDArray[np.float64]:
        """What the series of that name and labels holds by now, as it was added; nothing where there is none.

        Raises :class:`~idcbench.errors.RunError` when its file is damaged.
        """
        path = (
            self.path / "samples" / series.file_name(name, {key: str(value) for key, value in (labels or {}).items()})
        )
        if not path.exists():
            return np.empty(0, dtype=np.float64)
        return np.asarray(series.read_series(path)[1]["value"], dtype=np.float64)

    def probe_log(self, fault: str, repetition: int, *, deadline_ms: float | None = None) -> probelog.ProbeLog:
        """Where every request of the probe goes while ``fault`` happens for the ``repetition``-th time (from 1)."""
        header = probelog.ProbeHeader(fault=fault, repetition=repetition, deadline_ms=deadline_ms)
        return probelog.open_probe_log(self.path / "samples", header)

    def happened(self, what: str, *, at_ns: int | None = None, **fields: Any) -> None:
        """Write a line to the timeline; ``at_ns`` is CLOCK_MONOTONIC, now when left out."""
        timeline.append(self.path / "timeline.jsonl", what, at_ns=at_ns, **fields)

    def invalidate(self, reason: str) -> None:
        """Make the run invalid, from any process; :meth:`finish` gathers the reasons."""
        self.happened("invalid", reason=reason)

    def events(self) -> list[timeline.Event]:
        """The timeline so far, by time."""
        return timeline.read(self.path / "timeline.jsonl")

    def document(self) -> RunDocument:
        """run.json; of an unfinished run what its samples and timeline give, marked interrupted and invalid."""
        document = read_document(self.path)
        if document.ended is not None:
            return document
        return msgspec.structs.replace(
            document,
            interrupted=True,
            valid=False,
            invalid_because=(CUT_OFF, *self._reasons(), *damage_of(self.path)),
            metrics=metrics_of(self.path),
        )

    def finish(
        self,
        *,
        tests: TestCounts,
        checks: Sequence[Check],
        facts: Mapping[str, Any],
        options: Mapping[str, Any],
        validity: Validity,
        interrupted: bool = False,
    ) -> RunDocument:
        """Compute the metrics and write the whole run.json in one step; returns what was written.

        ``facts["cluster"]`` is the :class:`~idcbench.cluster.ClusterFacts` (its versions and digests go to the top),
        ``facts["hosts"]`` a record per host; whatever JSON has no word for is written as text. What
        :meth:`invalidate` said and what the clocks did count as if ``validity`` said it. Raises :class:`RunError`.
        """
        begun = read_document(self.path)
        audit = audit_clocks(begun.clocks.started, read_clocks())
        reasons = tuple(
            dict.fromkeys([*validity.reasons, *self._reasons(), *clock_faults(audit), *damage_of(self.path)])
        )
        plain = to_plain(facts)
        cluster = plain.get("cluster") or {}
        document = msgspec.structs.replace(
            begun,
            ended=_now(),
            interrupted=interrupted,
            valid=validity.valid and not reasons,
            invalid_because=reasons,
            notes=validity.notes,
            tests=tests,
            metrics=metrics_of(self.path),
            checks=tuple(checks),
            facts=plain,
            options=to_plain(options),
            versions=begun.versions | dict(cluster.get("versions") or {}),
            digests=dict(cluster.get("digests") or {}),
            clocks=audit,
        )
        write_document(self.path, document)
        return document

    def _reasons(self) -> list[str]:
        return [str(event.get("reason", "")) for event in self.events() if event["what"] == "invalid"]


def create_run(root: Path, *, target_id: str, name: str = "run", facts: Mapping[str, Any] | None = None) -> Run:
    """Make the next run directory ``root/target_id/NNNN_name`` and point ``latest`` beside it there.

    ``facts`` are those that are known already, so that a run that is cut off has them too.

    ``root`` is the folder ``.idcbench``; it gets a .gitignore of its own. Numbers count up per target, also when
    several processes ask at once. Raises :class:`RunError` when a name is not one or the place is not writable.
    """
    for what, text in (("target", target_id), ("run", name)):
        if not _NAME.fullmatch(text) or text == LATEST:
            raise RunError(f"{what} name {text!r}: up to 100 letters, digits and . _ - can name a folder, not 'latest'")
    target = root / target_id
    try:
        target.mkdir(parents=True, exist_ok=True)
        ignore = root / ".gitignore"
        if not ignore.exists():
            replace_file(ignore, b"*\n")
        with _locked(target):
            number = 1 + max((_number(entry.name) for entry in target.iterdir()), default=0)
            path = target / f"{number:04d}_{name}"
            path.mkdir()
            (path / "samples").mkdir()
            (path / "logs").mkdir()
            write_document(path, _begun(target_id, number, name, facts=to_plain(facts or {})))
            _point_latest(target, path.name)
    except OSError as error:
        raise RunError(
            f"{error.filename or target}: a run directory is wanted here, but it cannot be written: {error.strerror}; "
            "change to a folder that is writable and has room"
        ) from error
    return Run(path.absolute())


def open_run(path: Path | str) -> Run:
    """The run in the directory ``path`` (a link such as ``latest`` is followed; its run.json will do as well).

    A run that was cut off opens too. Raises :class:`RunError` when there is none, or one of a newer schema.
    """
    path = Path(path)
    folder = (path.parent if path.name == DOCUMENT else path).resolve()
    read_document(folder)
    return Run(folder)


def _begun(target: str, number: int, name: str, *, facts: dict[str, Any]) -> RunDocument:
    return RunDocument(
        target=target,
        number=number,
        name=name,
        started=_now(),
        facts=facts,
        machine=machine_facts(),
        versions=software_versions(),
        clocks=ClockAudit(started=read_clocks()),
    )


def _point_latest(target: Path, name: str) -> None:
    draft = target / f".{LATEST}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(name)
    draft.replace(target / LATEST)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder alone among those who make runs in it; mkdir alone cannot keep NNNN_a and NNNN_b apart."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _number(name: str) -> int:
    found = re.match(r"(\d{4,})_", name)
    return int(found[1]) if found else 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
