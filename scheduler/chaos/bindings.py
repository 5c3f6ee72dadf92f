"""What the audit logs of all API servers say of bindings: for each pod, by its uid, every one that was done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from idcbench.kube.auditlog import FollowedLog, Line, decode


class Binding(msgspec.Struct, frozen=True):
    """A binding that an API server answered with success; ``source`` is the address it came from."""

    at_ns: int
    source: str
    server: str


class Bindings:
    """:meth:`poll` reads on. ``refused`` counts answers to bindings that were no success, by status."""

    def __init__(self, logs: Mapping[str, Path]) -> None:
        self.of: dict[str, list[Binding]] = {}
        self.refused: dict[int, int] = {}
        self.unclear: set[str] = set()
        """Pods with a binding that was answered 5xx, and so may have been done: its time was over, or nobody waited."""
        self.watched: dict[str, str] = {}
        """The server at which each address last began to watch pods."""
        self.garbled = 0
        """Lines cut by the death of the server that wrote them."""
        self._logs = {server: FollowedLog(path) for server, path in logs.items()}

    def __len__(self) -> int:
        """Pods that are bound."""
        return len(self.of)

    def poll(self) -> list[str]:
        """Take in what has come since; gives the names of the pods that were bound."""
        names: list[str] = []
        for server, log in self._logs.items():
            for line in log.lines():
                try:
                    names += self._take(server, decode(line))
                except msgspec.DecodeError:
                    self.garbled += 1
        return names

    def close(self) -> None:
        for log in self._logs.values():
            log.close()

    def times_ns(self) -> list[int]:
        """When bindings were answered (wall clock), in order."""
        return sorted(one.at_ns for each in self.of.values() for one in each)

    def _take(self, server: str, line: Line) -> tuple[str, ...]:
        ref, code = line.object_ref, line.response_status.code
        if (line.verb, ref.resource, line.stage) == ("watch", "pods", "ResponseStarted") and line.source:
            self.watched[line.source] = server
        if (line.verb, ref.resource, ref.subresource) != ("create", "pods", "binding") or not line.at_ns:
            return ()
        if line.stage != "ResponseComplete":
            return ()
        if code >= 300:
            self.refused[code] = self.refused.get(code, 0) + 1
            if code >= 500:
                self.unclear.add(ref.uid)
            return ()
        self.of.setdefault(ref.uid, []).append(Binding(line.at_ns, line.source, server))
        return (ref.name,)
