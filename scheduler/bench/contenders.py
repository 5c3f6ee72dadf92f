"""The schedulers that are compared: how each is started against an arena, and the process once it runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from idcbench.errors import UsageError
from idcbench.measure.processes import Usage, usage

from .arena import Arena

KUBE, OURS = "kube-scheduler", "idcbench"
QPS = 5000
"""What scheduler_perf gives its clients, as rate and as burst."""
STOP_LIMIT_S = 15.0
CONTENT_TYPES = {"protobuf": "application/vnd.kubernetes.protobuf", "json": "application/json"}


class Contender(Protocol):
    """A scheduler that serves ``default-scheduler`` alone, without leader election."""

    @property
    def name(self) -> str: ...

    def argv(self, arena: Arena, folder: Path, *, gangs: bool) -> list[str]:
        """The command, with whatever files it needs written to ``folder``; ``gangs``: PodGroups are to be served."""
        ...


@dataclass(frozen=True, slots=True)
class KubeScheduler:
    """The real one with its default profile; only its client's limits and encoding are set."""

    binary: Path
    name: str = KUBE

    def argv(self, arena: Arena, folder: Path, *, gangs: bool) -> list[str]:
        config = folder / "kube-scheduler.json"
        config.write_bytes(
            msgspec.json.format(
                msgspec.json.encode(
                    {
                        "apiVersion": "kubescheduler.config.k8s.io/v1",
                        "kind": "KubeSchedulerConfiguration",
                        "leaderElection": {"leaderElect": False},
                        "clientConnection": {
                            "kubeconfig": str(arena.scheduler_kubeconfig),
                            "qps": QPS,
                            "burst": QPS,
                            "contentType": CONTENT_TYPES[arena.encoding],
                            "acceptContentTypes": CONTENT_TYPES[arena.encoding],
                        },
                    }
                ),
                indent=1,
            )
        )
        gates = ["--feature-gates=GenericWorkload=true"] if gangs else []
        return [str(self.binary), f"--config={config}", "--secure-port=0", *gates]


@dataclass(frozen=True, slots=True)
class Command:
    """Any command; ``{kubeconfig}``, ``{folder}``, ``{server}`` and ``{content_type}`` in it are replaced."""

    name: str
    words: tuple[str, ...]

    def argv(self, arena: Arena, folder: Path, *, gangs: bool) -> list[str]:  # noqa: ARG002 - its own affair
        given = {
            "{kubeconfig}": str(arena.scheduler_kubeconfig),
            "{folder}": str(folder),
            "{server}": arena.access.server,
            "{content_type}": CONTENT_TYPES[arena.encoding],
        }
        return [_replaced(word, given) for word in self.words]


def parsed(text: str) -> Command:
    """``NAME=COMMAND`` as a contender. Raises :class:`UsageError`."""
    name, equals, command = text.partition("=")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"--scheduler {text!r}: the command cannot be taken apart: {error}") from None
    if not re.fullmatch(r"[\w.-]+", name) or not equals or not words:
        raise UsageError(
            f"--scheduler {text!r}: wanted NAME=COMMAND, such as 'mine=./mine --kubeconfig {{kubeconfig}}'; a name has "
            "letters, digits, dots, dashes and underscores"
        )
    return Command(name, words)


def _replaced(word: str, given: dict[str, str]) -> str:
    for placeholder, value in given.items():
        word = word.replace(placeholder, value)
    return word


@dataclass(slots=True)
class Running:
    """A scheduler that was started; ``log`` has what it says."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def ended(self) -> bool:
        return self.process.returncode is not None

    def usage(self) -> Usage:
        return usage(self.process.pid)

    def last_words(self, lines: int = 5) -> str:
        said = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n  ".join(said) or "nothing"


@contextlib.asynccontextmanager
async def running(contender: Contender, arena: Arena, folder: Path, *, gangs: bool) -> AsyncIterator[Running]:
    """Start the scheduler; on leaving it is ended by SIGTERM, after ``STOP_LIMIT_S`` by SIGKILL, with its children."""
    log = folder / f"{contender.name}.log"
    argv = arena.command(contender.argv(arena, folder, gangs=gangs))
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield Running(process, log)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
