"""The scheduler's own command, asked by who provisions it: it says itself what it needs, so that nothing here knows."""

from __future__ import annotations

import asyncio
import sys

from ..errors import ClusterError

COMMAND = (sys.executable, "-m", "idcbench.cli.main", "scheduler")
LIMIT_S = 600.0
"""Compiling all kernels takes half a minute of processor time, and several where the machine is busy with others."""


async def told(*argv: str) -> str:
    """What a command of the scheduler prints. Raises :class:`ClusterError` when it fails or takes too long."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_S):
            stdout, stderr = await process.communicate()
    except TimeoutError:
        raise ClusterError(f"`idcbench scheduler {argv[0]}` took longer than {LIMIT_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ClusterError(f"`idcbench scheduler {argv[0]}`: {stderr.decode(errors='replace').strip()[-2000:]}")
    return stdout.decode()
