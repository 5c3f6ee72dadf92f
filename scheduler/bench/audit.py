"""The audit log: when a pod was created and bound and an event written, to the microsecond, for any scheduler."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from idcbench.kube.auditlog import FollowedLog, Line, decode

from .workload import MEASURED


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

    def take(self, line: Line) -> None:
        """Count one line of the log."""
        if line.stage != "ResponseComplete" or not line.at_ns:
            return
        ref, code, at_ns = line.object_ref, line.response_status.code, line.at_ns
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
        self._log = FollowedLog(path)

    def poll(self) -> int:
        """Read on; gives the number of new lines. A log that is not there yet has none."""
        lines = self._log.lines()
        for line in lines:
            self.trace.take(decode(line))
        return len(lines)

    def close(self) -> None:
        """Read no more."""
        self._log.close()
