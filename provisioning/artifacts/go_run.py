"""A command that is run to its end with its output followed."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from io import RawIOBase
from pathlib import Path

from .failure import WayFailedError, no_space

_HEARTBEAT_S = 0.5


def run(
    argv: Sequence[str],
    *,
    folder: Path,
    env: dict[str, str],
    output: Path,
    on_line: Callable[[str], None],
    on_wait: Callable[[], None],
    keep_open: Sequence[int] = (),
) -> None:
    """Run a command; its stdout goes to the file ``output``, each line of its stderr to ``on_line``.

    ``on_wait`` is called twice a second and may raise to end it: the command and its children are then killed. It runs
    in our process group, so that Ctrl-C reaches it, and dies at its next line when we are killed. ``keep_open`` are
    descriptors that it inherits. Raises WayFailedError with its last lines when it fails, ArtifactError on a full disk.
    """
    last: deque[str] = deque(maxlen=200)
    reading, writing = os.pipe()
    try:
        with output.open("wb") as stdout:
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=writing,
                pass_fds=keep_open,
            )
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as stderr:
        try:
            for line in _lines(stderr):
                if line is None:
                    on_wait()
                else:
                    last.append(line)
                    on_line(line)
        except BaseException:
            _kill(process)
            raise
    if code := process.wait():
        raise _failed(argv, code, list(last), folder)


def _lines(stderr: RawIOBase) -> Iterator[str | None]:
    """Lines as they come, and ``None`` at each heartbeat, however many lines there are; ends at end of file."""
    rest = b""
    beat = time.monotonic() + _HEARTBEAT_S
    with selectors.DefaultSelector() as selector:
        selector.register(stderr, selectors.EVENT_READ)
        while True:
            ready = selector.select(max(0.0, beat - time.monotonic()))
            if time.monotonic() >= beat:
                beat = time.monotonic() + _HEARTBEAT_S
                yield None
            if not ready:
                continue
            chunk = os.read(stderr.fileno(), 65536)
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
            if not chunk:
                if rest:
                    yield rest.decode(errors="replace")
                return


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the command, then what it had started, so that it cannot start more."""
    process.send_signal(signal.SIGSTOP)
    family = list(_descendants(process.pid))
    process.kill()
    process.wait()
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from _descendants(child)


def _failed(argv: Sequence[str], code: int, last: list[str], folder: Path) -> Exception:
    said = "\n".join(last)
    if "no space left on device" in said or "disk quota exceeded" in said:
        return no_space(
            folder,
            what="or in Go's caches while building",
            remedy=", or set GOCACHE, GOMODCACHE and XDG_CACHE_HOME to folders on another disk",
        )
    command = f"{Path(argv[0]).name} {argv[1]}"
    lines = [line.strip() for line in last if line.strip() and not line.startswith(("go: downloading", "# "))]
    reason = f"`{command}` ended with {code}: {' / '.join(lines[-3:]) or 'no output'} (in {folder})"
    if "signal: killed" in said:
        return WayFailedError(reason, remedy="the kernel killed the compiler: the link needs about 4 GiB of memory")
    return WayFailedError(reason)
