"""The reference program as a process that answers cases."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

import msgspec
from cases import Case
from msgspec import Struct, field

_BATCH = 50


class Refused(Struct, frozen=True):
    """Who refused a node (or every node), with the status code's name and the reasons."""

    plugin: str = ""
    code: str = ""
    reasons: tuple[str, ...] = ()


class Candidate(Struct, frozen=True):
    victims: tuple[str, ...] = ()
    violations: int = 0


class Preemption(Struct, frozen=True):
    """``candidates`` by node; ``chosen`` is one of the best of them, ``message`` what is said when there is none."""

    candidates: dict[str, Candidate] = field(default_factory=dict)
    ineligible: str = ""
    message: str = ""
    chosen: str = ""


class Answer(Struct, frozen=True):
    """What kube-scheduler makes of a case; scores by plugin and node: raw, normalised, weighted.

    ``chosen`` is the node that its own loop picked, ``message`` what it said when there was none.
    """

    id: str
    feasible: tuple[str, ...] = ()
    refused: dict[str, Refused] = field(default_factory=dict)
    scores: dict[str, dict[str, tuple[int, int, int]]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    chosen: str = ""
    message: str = ""
    gated: Refused | None = None
    barred: Refused | None = None
    preemption: Preemption | None = None
    error: str = ""

    def eligible(self, nominated: str | None) -> set[str]:
        """The nodes that may be chosen: the one that the pod is nominated to, or those of the highest total."""
        if nominated in self.feasible:
            return {nominated}
        most = max(self.totals.values(), default=0)
        return {node for node, total in self.totals.items() if total == most}


class Reference:
    """A running reference program; a context manager."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin: IO[bytes] = self._process.stdin
        self._stdout: IO[bytes] = self._process.stdout

    def __enter__(self) -> Reference:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        self._stdin.close()
        self._stdout.close()
        if kind is not None:
            self._process.kill()
        self._process.wait(timeout=30)
        return False

    def answers(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Answer]]:
        """Each case with its answer, in order. Raises ``RuntimeError`` when the program ends before its answers."""
        waiting = iter(cases)
        while batch := list(islice(waiting, _BATCH)):
            lines = b"".join(msgspec.json.encode(case) + b"\n" for case in batch)
            # its answers may fill the pipe before it has read everything
            writer = threading.Thread(target=self._write, args=(lines,))
            writer.start()
            for case in batch:
                line = self._stdout.readline()
                if not line:
                    raise RuntimeError(f"the reference program ended at case {case['id']}: {self._process.poll()}")
                yield case, msgspec.json.decode(line, type=Answer)
            writer.join()

    def _write(self, lines: bytes) -> None:
        self._stdin.write(lines)
        self._stdin.flush()
