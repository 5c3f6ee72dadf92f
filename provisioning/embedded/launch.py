"""Start the supervisor from outside, hold its lifeline, hand it over, and end it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from ...errors import ClusterError
from .layout import StateDirectory
from .prerequisites import search_path

END_LIMIT_S = 30.0


@dataclass(slots=True)
class Supervised:
    """A supervisor that was just started. It ends when this context is left, unless it was handed over.

    ``pid`` is PID 1 of the cluster as seen from here; ``lifeline`` the writing end of the pipe that it hangs on.
    """

    pid: int
    lifeline: int
    handed_over: bool = False

    def hand_over(self) -> None:
        """From now on the supervisor lives without us."""
        os.write(self.lifeline, b"K")
        self.handed_over = True

    def lend(self) -> int:
        """A descriptor for the caller to hold: the supervisor lives until it is closed, or until this process dies."""
        self.handed_over = True
        return os.dup(self.lifeline)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.lifeline)
        if not self.handed_over:
            wait_for_end(self.pid)


@contextlib.contextmanager
def relay_listener(port: int) -> Iterator[socket.socket]:
    """A loopback socket for the relay, on ``port`` when it is free and otherwise on any."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        yield listener


def start_supervisor(state: StateDirectory, *, relay: socket.socket) -> Supervised:
    """Start PID 1 of the cluster as the state directory's plan says.

    The relay's socket goes in as standard input. Raises :class:`ClusterError` when the namespaces are refused.
    """
    hangs_on, lifeline = os.pipe()
    try:
        launcher = subprocess.run(
            [
                *(sys.executable, "-m", "idcbench.provisioning.embedded.supervisor"),
                *(str(state.plan_file), str(state.alive_file), str(hangs_on)),
            ],
            stdin=relay.fileno(),
            capture_output=True,
            text=True,
            pass_fds=[hangs_on],
            start_new_session=True,
            env={**os.environ, "PATH": search_path()},
            check=False,
        )
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(hangs_on)
    if launcher.returncode:
        os.close(lifeline)
        raise ClusterError(launcher.stderr.strip().removeprefix("error: ") or "the supervisor did not start")
    return Supervised(int(launcher.stdout), lifeline)


def end_supervisor(state: StateDirectory) -> None:
    """Kill PID 1, if it lives, and wait until the kernel has removed everything that was in its namespaces."""
    if state.is_alive():  # otherwise the number may by now be somebody else's
        pid = int(state.alive_file.read_text())
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait_for_end(pid)


def wait_for_end(pid: int) -> None:
    """Wait until a process is gone. Raises :class:`ClusterError` after ``END_LIMIT_S``."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            if not select.select([descriptor], [], [], END_LIMIT_S)[0]:
                raise ClusterError(f"the cluster's supervisor (pid {pid}) did not end within {END_LIMIT_S:g} s")
        finally:
            os.close(descriptor)
