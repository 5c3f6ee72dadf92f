"""What the audit logs of all API servers say of bindings: for each pod, by its uid, every one that was done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from idcbench.kube.lines import Lines


class Binding(msgspec.Struct, frozen=True):
    """A binding that an API server answered with success; ``source`` is the address it came from."""

    at_ns: int
    source: str
    server: str


class _Ref(msgspec.Struct, frozen=True):
    resource: str = ""
    subresource: str = ""
    name: str = ""
    uid: str = ""


class _Answer(msgspec.Struct, frozen=True):
    code: int = 0


class _Line(msgspec.Struct, frozen=True, rename={"sources": "sourceIPs", "at": "stageTimestamp",
                                                 "ref": "objectRef", "answer": "responseStatus"}):  # fmt: skip
    verb: str = ""
    stage: str = ""
    sources: tuple[str, ...] = ()
    ref: _Ref = _Ref()
    answer: _Answer = _Answer()
    at: datetime | None = None


_decoder = msgspec.json.Decoder(_Line)


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
        self._logs = {server: _Log(path) for server, path in logs.items()}

    def __len__(self) -> int:
        """Pods that are bound."""
        return len(self.of)

    def poll(self) -> list[str]:
        """Take in what has come since; gives the names of the pods that were bound."""
        names: list[str] = []
        for server, log in self._logs.items():
            for line in log.lines():
                try:
                    names += self._take(server, _decoder.decode(line))
                except msgspec.DecodeError:
                    self.garbled += 1
        return names

    def close(self) -> None:
        for log in self._logs.values():
            log.close()

    def times_ns(self) -> list[int]:
        """When bindings were answered (wall clock), in order."""
        return sorted(one.at_ns for each in self.of.values() for one in each)

    def _take(self, server: str, line: _Line) -> tuple[str, ...]:
        ref, code = line.ref, line.answer.code
        if (line.verb, ref.resource, line.stage) == ("watch", "pods", "ResponseStarted") and line.sources:
            self.watched[line.sources[0]] = server
        if (line.verb, ref.resource, ref.subresource) != ("create", "pods", "binding") or line.at is None:
            return ()
        if line.stage != "ResponseComplete":
            return ()
        if code >= 300:
            self.refused[code] = self.refused.get(code, 0) + 1
            if code >= 500:
                self.unclear.add(ref.uid)
            return ()
        done = Binding(round(line.at.timestamp() * 1e9), line.sources[0] if line.sources else "", server)
        self.of.setdefault(ref.uid, []).append(done)
        return (ref.name,)


class _Log:
    """A log that grows, and is renamed and begun anew when it is large."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._lines = Lines()

    def lines(self) -> list[bytes]:
        """What has come since."""
        found: list[bytes] = []
        while self._file is not None or self._open():
            assert self._file is not None
            found += self._lines.feed(self._file.read())
            if not self._renamed():
                break
            found += self._lines.feed(self._file.read())  # what came between reading and renaming
            self.close()
        return found

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> bool:
        try:
            self._file = self._path.open("rb")
        except FileNotFoundError:
            return False
        return True

    def _renamed(self) -> bool:
        assert self._file is not None
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:
            return False
