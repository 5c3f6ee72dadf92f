"""The audit log: when a pod was created and bound and an event written, to the microsecond, for any scheduler."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from idcbench.kube.lines import Lines

from .workload import MEASURED


class _Ref(msgspec.Struct, frozen=True):
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class _Answer(msgspec.Struct, frozen=True):
    code: int = 0


class _Line(msgspec.Struct, frozen=True, rename="camel"):
    verb: str = ""
    stage: str = ""
    object_ref: _Ref = _Ref()
    response_status: _Answer = _Answer()
    stage_timestamp: datetime | None = None


@dataclass(slots=True)
class Trace:
    """What the log says so far; times are wall-clock ns at which the answer was complete.

    ``bound`` has the bindings of measured pods by ``namespace/name``; ``written`` every event that was accepted, by
    ``namespace/name`` of the event; ``refused`` counts what was answered with 4xx or 5xx, by verb, resource and code.
    """

    bound: dict[str, int] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    bound_twice: list[str] = field(default_factory=list)
    other_bound: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    event_writes: int = 0
    """Events written and patched, those about other pods too."""
    scheduled: int = 0
    """Measured pods about which an event was written after they were bound, which is the one that says so."""
    _told: set[str] = field(default_factory=set)

    def take(self, line: _Line) -> None:
        """Count one line of the log."""
        if line.stage != "ResponseComplete" or line.stage_timestamp is None:
            return
        ref, code, at_ns = line.object_ref, line.response_status.code, _ns(line.stage_timestamp)
        if code >= 400:
            what = f"{line.verb} {ref.resource}{'/' * bool(ref.subresource)}{ref.subresource} {code}"
            self.refused[what] = self.refused.get(what, 0) + 1
            return
        key = f"{ref.namespace}/{ref.name}"
        match line.verb, ref.resource, ref.subresource:
            case "create", "pods", "binding":
                self._bind(key, ref.name, at_ns)
            case "create", "pods", "":
                if ref.name.startswith(MEASURED):
                    self.created[key] = at_ns
            case ("create", "events", _):
                self.written[key] = at_ns
                self._write(ref.namespace, ref.name)
            case ("patch" | "update", "events", _):
                self._write(ref.namespace, ref.name)

    def _bind(self, key: str, name: str, at_ns: int) -> None:
        if not name.startswith(MEASURED):
            self.other_bound += 1
        elif key in self.bound:
            self.bound_twice.append(key)
        else:
            self.bound[key] = at_ns

    def _write(self, namespace: str, name: str) -> None:
        self.event_writes += 1
        pod = f"{namespace}/{name.rpartition('.')[0]}"
        if pod in self.bound and pod not in self._told:
            self._told.add(pod)
            self.scheduled += 1


class AuditTail:
    """Follows a growing audit log; :meth:`poll` reads what has come since."""

    def __init__(self, path: Path) -> None:
        self.trace = Trace()
        self._path = path
        self._at = 0
        self._lines = Lines()
        self._decoder = msgspec.json.Decoder(_Line)

    def poll(self) -> int:
        """Read on; gives the number of new lines. A log that is not there yet has none."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                piece = file.read()
        except FileNotFoundError:
            return 0
        self._at += len(piece)
        return self._take(self._lines.feed(piece))

    def _take(self, lines: Iterable[bytes]) -> int:
        count = 0
        for line in lines:
            self.trace.take(self._decoder.decode(line))
            count += 1
        return count


def _ns(stamp: datetime) -> int:
    whole = int(stamp.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + stamp.microsecond * 1000
