"""One supervised process: started, watched, restarted as kubelet would, and broken on request."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from ...cluster import ComponentState, Happening
from . import network
from .plan import CLIENTS, Program

RESTART_DELAYS_S = (0, 1, 2, 4, 8, 16, 30)
STEADY_S = 10
"""A process that ran this long starts anew with the first delay."""
STOP_LIMIT_S = 15.0
LAST_LINES = 5

Note = Callable[[Happening], None]


class Process:
    """A program on a host. ``wanted`` says what should be, ``state`` what is. Lives in the supervisor's loop."""

    def __init__(self, program: Program, *, host: str, log: Path, note: Note) -> None:
        self.program, self.host, self.log = program, host, log
        self.pid: int | None = None
        self.wanted = False
        self.frozen = False
        self.restarts = 0
        self._note = note
        self._asked_exit = False
        self._exited = asyncio.Event()
        self._failures = 0
        self._started_ns = 0
        self._restart: asyncio.TimerHandle | None = None

    @property
    def component(self) -> str:
        return self.program.component

    def state(self) -> ComponentState:
        return ComponentState(
            host=self.host, component=self.component, state=self._state(), pid=self.pid, restarts=self.restarts
        )

    def start(self) -> None:
        """Start unless it runs, and keep it running from now on."""
        self.wanted = True
        self._cancel_restart()
        if self.pid is None:
            self._spawn()

    async def stop(self) -> None:
        """End it by SIGTERM, after ``STOP_LIMIT_S`` by SIGKILL, and keep it down until :meth:`start`."""
        self.wanted = False
        self._cancel_restart()
        await self._end(signal.SIGTERM)

    async def restart(self) -> None:
        """End it in an orderly way and start it at once."""
        await self.stop()
        self.start()

    async def kill(self) -> None:
        """Crash it. The supervisor restarts it as after any crash. Returns when it is dead."""
        await self._end(signal.SIGKILL)

    async def cut_off(self) -> None:
        """Crash it and keep it down, as a host does that loses power."""
        self.wanted = False
        self._cancel_restart()
        await self._end(signal.SIGKILL)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)
        self.frozen = True
        self._say("frozen", asked=True)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)
        self.frozen = False
        self._say("thawed", asked=True)

    def on_exit(self, status: int) -> None:
        """The kernel has reported its end (``status`` as waitpid gives it)."""
        code = os.waitstatus_to_exitcode(status)
        ran_s = (time.monotonic_ns() - self._started_ns) / 1e9
        self._say("exited", asked=self._asked_exit, exit_code=code, last_lines=self._last_lines())
        self.pid, self.frozen, self._asked_exit = None, False, False
        self._exited.set()
        self._failures = 0 if ran_s >= STEADY_S else self._failures
        if self.wanted:
            delay_s = RESTART_DELAYS_S[min(self._failures, len(RESTART_DELAYS_S) - 1)]
            self._failures += 1
            self._restart = asyncio.get_running_loop().call_later(delay_s, self._respawn)

    def _respawn(self) -> None:
        self._restart = None
        self.restarts += 1
        self._spawn()

    def _spawn(self) -> None:
        inside = [] if self.host == CLIENTS else network.enter(self.host)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        for file in self.program.remove_first:
            Path(file).unlink(missing_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*inside, *self.program.argv],
                stdin=None if self.program.takes_relay else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.program.environment},
                start_new_session=True,
            )
        process.returncode = 0  # reaped by PID 1 for all; Popen is not to wait for it
        self.pid = process.pid
        self._started_ns = time.monotonic_ns()
        self._exited.clear()
        self._say("started", asked=True)

    async def _end(self, how: signal.Signals) -> None:
        if self.pid is None:
            return
        self._asked_exit = True
        self._signal(how)
        if self.frozen and how is not signal.SIGKILL:
            self._signal(signal.SIGCONT)
        try:
            await asyncio.wait_for(self._exited.wait(), STOP_LIMIT_S)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._exited.wait()

    def _signal(self, number: signal.Signals) -> None:
        """To the whole process group: keepalived has children of its own."""
        if self.pid is not None:
            os.killpg(self.pid, number)

    def _cancel_restart(self) -> None:
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None

    def _state(self) -> Literal["running", "frozen", "stopped", "waiting"]:
        if self.pid is not None:
            return "frozen" if self.frozen else "running"
        return "waiting" if self.wanted else "stopped"

    def _say(self, what: str, *, asked: bool, exit_code: int | None = None, last_lines: tuple[str, ...] = ()) -> None:
        self._note(
            Happening(
                at_ns=time.monotonic_ns(),
                host=self.host,
                component=self.component,
                what=what,
                asked=asked,
                exit_code=exit_code,
                last_lines=last_lines,
            )
        )

    def _last_lines(self) -> tuple[str, ...]:
        return last_lines(self.log, LAST_LINES)


def last_lines(log: Path, count: int) -> tuple[str, ...]:
    """The last ``count`` lines of a log, nothing when there is none; reads its last 16 KiB."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16384))
            return tuple(file.read().decode(errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ()
