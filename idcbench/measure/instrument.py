"""Instruments run in processes of their own: starting one, talking to it, and that it never outlives its parent.

Settings go in pickled, by its standard input; afterwards each command is a line of JSON, and so is each answer. The
end of that input is the instrument's order to end at once, so the kernel ends it with its parent however that dies.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

from ..errors import IdcError
from .urgency import ask_to_run_soon

_LENGTH = struct.Struct("<Q")
END_S = 3.0
"""An instrument told to end has this long to leave nothing behind in the cluster."""


class InstrumentError(IdcError):
    """An instrument died, fell silent, or could not do what was asked of it."""


class Instrument:
    """A running instrument, seen from its parent. ``module`` is one whose ``__main__`` calls :func:`serve`."""

    def __init__(self, module: str, settings: object) -> None:
        self._module = module
        self._errors: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the instrument
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            start_new_session=True,
        )
        self._unread = b""
        pickled = pickle.dumps(settings)
        self._send(_LENGTH.pack(len(pickled)) + pickled)

    def ask(self, command: str, *, answer_within_s: float, **arguments: Any) -> Any:
        """Send a command and wait for its answer.

        Raises :class:`InstrumentError` when there is none in time, when the instrument died, or when it says why not.
        """
        self._send(msgspec.json.encode({"command": command, **arguments}) + b"\n")
        answer = msgspec.json.decode(self._line(command, within_s=answer_within_s))
        if "error" in answer:
            raise InstrumentError(f"{self._module}: {answer['error']}")
        return answer["answer"]

    def close(self) -> None:
        """End it: it may tidy up for a moment and is killed after that. Does nothing the second time."""
        if self._errors.closed:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            view = memoryview(data)
            while view:
                view = view[self._process.stdin.write(view) :]
        except OSError:
            raise self._died() from None

    def _line(self, command: str, *, within_s: float) -> bytes:
        assert self._process.stdout is not None
        until = time.monotonic() + within_s
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise InstrumentError(f"{self._module}: no answer to {command!r} within {within_s:.0f} s")
            piece = self._process.stdout.read(65536)
            if not piece:
                raise self._died()
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _died(self) -> InstrumentError:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return InstrumentError(f"{self._module}: closed its output and goes on")
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        return InstrumentError(f"{self._module}: ended with {code}: {said[-1] if said else 'without a word'}")


Answerer = Callable[[str, dict[str, Any]], Awaitable[Any]]


def serve(run: Callable[[Any, Commands], Awaitable[None]]) -> None:
    """The instrument's whole life: read the settings, call ``run`` with them, end with the parent."""
    settings = pickle.loads(_exactly(_LENGTH.unpack(_exactly(_LENGTH.size))[0]))
    be_punctual()
    asyncio.run(_until_parent_ends(run, settings))


def be_punctual() -> None:
    """For a process that does nothing but measure, once everything is imported.

    The garbage collector is frozen and off, as a collection amid a measurement would be measured. As others use the
    machine too, the kernel is asked to run the process as soon as it wakes.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    ask_to_run_soon()


class Commands:
    """The parent's commands, one after the other; :meth:`answer_with` serves them until the parent ends."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        self._lines = lines

    async def answer_with(self, answerer: Answerer) -> None:
        """Serve commands until the parent ends. What ``answerer`` raises goes back to the parent as the answer.

        While one command is being answered the end of the parent is still noticed, and cancels it.
        """
        reading = asyncio.ensure_future(self._lines.readline())
        while line := await reading:
            request = msgspec.json.decode(line)
            reading = asyncio.ensure_future(self._lines.readline())
            answering = asyncio.ensure_future(self._answer(answerer, request))
            await asyncio.wait([reading, answering], return_when=asyncio.FIRST_COMPLETED)
            if not answering.done() and not reading.result():
                answering.cancel()
                return
            await answering

    async def _answer(self, answerer: Answerer, request: dict[str, Any]) -> None:
        command = request.pop("command")
        try:
            answer = {"answer": await answerer(command, request)}
        except (OSError, ValueError, IdcError) as error:
            answer = {"error": f"{command}: {type(error).__name__}: {error}"}
        line = msgspec.json.encode(answer) + b"\n"
        await asyncio.to_thread(os.write, sys.stdout.fileno(), line)


async def _until_parent_ends(run: Callable[[Any, Commands], Awaitable[None]], settings: object) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await run(settings, Commands(lines))


def _exactly(count: int) -> bytes:
    """Read from standard input without a buffer that would swallow commands."""
    data = b""
    while len(data) < count:
        piece = os.read(sys.stdin.fileno(), count - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data
