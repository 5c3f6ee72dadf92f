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
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import asyncssh

from ...hosts.failure import HostError
from ...hosts.ssh import SshHost

BEAT_S = 5.0
SILENCE_S = 20
"""A lock whose holder was not heard of for so long is given up by its host."""
HOLD = """\
exec 9>>/run/idcbench.lock
if ! flock -n 9; then echo "held $(cat /run/idcbench.holder 2>/dev/null)"; exit 0; fi
printf '%s\\n' "$1" > /run/idcbench.holder
echo taken
while read -r -t "$2" _; do :; done
rm -f /run/idcbench.holder
"""


@contextlib.asynccontextmanager
async def locked(hosts: Sequence[SshHost], *, doing: str) -> AsyncIterator[None]:
    """Hold all hosts alone. Raises :class:`HostError` that says who holds one, since when, and what for."""
    async with contextlib.AsyncExitStack() as stack:
        for host in sorted(hosts, key=lambda each: each.name):
            await stack.enter_async_context(_locked(host, doing))
        yield


@contextlib.asynccontextmanager
async def _locked(host: SshHost, doing: str) -> AsyncIterator[None]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = f"{getpass.getuser()}@{platform.node()} (pid {os.getpid()}) since {since}: {doing}"
    async with host.talk("bash", "-c", HOLD, "lock", holder, str(SILENCE_S)) as process:
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


async def _beat(process: asyncssh.SSHClientProcess[str]) -> None:
    while True:
        process.stdin.write("\n")
        await asyncio.sleep(BEAT_S)
