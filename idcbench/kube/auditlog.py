"""The audit log of an API server: its lines, and reading on while it grows."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from .lines import Lines


class Ref(msgspec.Struct, frozen=True):
    """What a request was about; ``uid`` is empty where the request did not tell it."""

    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Answer(msgspec.Struct, frozen=True):
    """``code`` is the HTTP status, 0 as long as there is none."""

    code: int = 0


class Line(msgspec.Struct, frozen=True, rename="camel"):
    """An Event of audit.k8s.io/v1, as far as it is needed here."""

    verb: str = ""
    stage: str = ""
    source_ips: tuple[str, ...] = msgspec.field(default=(), name="sourceIPs")
    object_ref: Ref = Ref()
    response_status: Answer = Answer()
    stage_timestamp: datetime | None = None

    @property
    def source(self) -> str:
        """The address that the request came from."""
        return self.source_ips[0] if self.source_ips else ""

    @property
    def at_ns(self) -> int:
        """When the stage was reached: wall clock, to the microsecond; 0 where the line does not say."""
        if self.stage_timestamp is None:
            return 0
        whole = int(self.stage_timestamp.replace(microsecond=0).timestamp())
        return whole * 1_000_000_000 + self.stage_timestamp.microsecond * 1000


decode = msgspec.json.Decoder(Line).decode


class FollowedLog:
    """A log that grows, may not be there yet, and is renamed and begun anew when it is large."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._lines = Lines()

    def lines(self) -> list[bytes]:
        """What has come since, whole lines only."""
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
        """Let go of the file; the next :meth:`lines` begins at its start."""
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
