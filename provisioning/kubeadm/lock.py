"""The lock on hosts: who works on a cluster works on it alone.

A flock that a process on the host holds for as long as the connection feeds it; it ends by itself, some seconds after
driver, the network or the host is gone, so nobody ever removes it by hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import platform
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncssh

from ...hosts.failure import HostError
from ...hosts.ssh import SshHost

BEAT_S = 5.0
SILENCE_S = 20
"""A lock whose holder was not heard of for so long is given up by its host."""
PATIENCE_S = 3
HOLD = """\
exec 9>>/run/idcbench.lock
if ! flock -n 9; then
    echo "held $(cat /run/idcbench.holder 2>/dev/null)"
    if ! flock -w "$3" 9; then echo "held $(cat /run/idcbench.holder 2>/dev/null)"; exit 0; fi
fi
printf '%s\\n' "$1" > /run/idcbench.holder
echo taken
while read -r -t "$2" _; do :; done
rm -f /run/idcbench.holder
"""


@contextlib.asynccontextmanager
async def locked(hosts: Sequence[SshHost], *, doing: str) -> AsyncIterator[None]:
    """Hold all hosts alone.

    Where somebody holds one who may be gone, as nobody here can know of another machine's process, it is waited for as
    long as the lock of one who is gone lasts. Raises :class:`HostError` that says who holds it, since when, what for.
    """
    first, *others = sorted(hosts, key=lambda each: each.name)
    async with _locked(first, doing):  # two of us meet here, so that neither holds what the other waits for
        held = [_locked(host, doing) for host in others]
        outcome = await asyncio.gather(*(each.__aenter__() for each in held), return_exceptions=True)
        taken = [each for each, error in zip(held, outcome, strict=True) if error is None]
        try:
            for error in outcome:
                if error is not None:
                    raise error
            yield
        finally:
            await asyncio.gather(*(each.__aexit__(None, None, None) for each in taken))


@contextlib.asynccontextmanager
async def _locked(host: SshHost, doing: str) -> AsyncIterator[None]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = f"{_here()} (pid {os.getpid()}) since {since}: {doing}"
    arguments = (holder, str(SILENCE_S), str(SILENCE_S + PATIENCE_S))
    async with host.talk("bash", "-c", HOLD, "lock", *arguments) as process:
        answer = (await process.stdout.readline()).strip()
        if answer.startswith("held") and not _lives_here(answer):
            answer = (await process.stdout.readline()).strip()
        if answer.startswith("held"):
            who = answer.removeprefix("held").strip() or "somebody"
            raise HostError(host.name, f"is being worked on by {who}; wait for that to end")
        if answer != "taken":
            said = (await process.stderr.read()).strip().splitlines()
            raise HostError(host.name, f"its lock cannot be taken: {said[-1] if said else 'no answer'}")
        beating = asyncio.create_task(_beat(process))
        try:
            yield
        finally:
            beating.cancel()
            with contextlib.suppress(OSError, asyncssh.Error):
                process.stdin.write_eof()
                await process.wait_closed()


def _here() -> str:
    return f"{getpass.getuser()}@{platform.node()}"


def _lives_here(answer: str) -> bool:
    """Whether the holder is a process of this machine that is there."""
    found = re.search(r"(\S+) \(pid (\d+)\)", answer)
    return found is not None and found[1] == _here() and Path(f"/proc/{found[2]}").exists()


async def _beat(process: asyncssh.SSHClientProcess[str]) -> None:
    while True:
        process.stdin.write("\n")
        await asyncio.sleep(BEAT_S)
