"""A host that is a network namespace inside the embedded cluster: commands enter it by nsenter(1)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from .completed import Completed


@dataclass(frozen=True, slots=True, kw_only=True)
class NetnsHost:
    """``supervisor`` is the process id of the cluster's PID 1, as seen from here."""

    name: str
    address: str
    supervisor: int

    def command(self, *argv: str) -> list[str]:
        """The command line that runs ``argv`` on this host, in the caller's terminal and working directory."""
        user = [] if _same_user_namespace(self.supervisor) else ["--user", "--preserve-credentials"]
        outer = ["nsenter", f"--target={self.supervisor}", *user, "--mount", "--net", "--pid"]
        return [*outer, "--", "nsenter", f"--net=/run/netns/{self.name}", f"--uts=/run/uts/{self.name}", "--", *argv]

    async def run(self, *argv: str, timeout_s: float = 30.0) -> Completed:
        """Run a command to its end. Raises ``TimeoutError`` after ``timeout_s``; the command is dead by then."""
        process = await asyncio.create_subprocess_exec(
            *self.command(*argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout_s):
                stdout, stderr = await process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise
        code = process.returncode or 0
        return Completed(self.name, argv, code, stdout.decode(errors="replace"), stderr.decode(errors="replace"))


def _same_user_namespace(pid: int) -> bool:
    return Path(f"/proc/{pid}/ns/user").stat().st_ino == Path("/proc/self/ns/user").stat().st_ino
