"""Running a program of this machine to its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .failure import PowerError


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of it."""

    exit_code: int
    output: str
    errors: str

    @property
    def said(self) -> str:
        """The end of its last words."""
        return (self.errors or self.output)[-200:] or "it said nothing"


async def run(
    host: str, argv: Sequence[str], *, timeout_s: float, environment: Mapping[str, str] | None = None
) -> Ended:
    """Run it to its end; it is killed after ``timeout_s``. Raises :class:`PowerError`."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    except OSError as error:
        raise PowerError(
            host, f"`{argv[0]}` cannot be run here: {error.strerror}; install it, or name it in full"
        ) from None
    try:
        async with asyncio.timeout(timeout_s):
            output, errors = await process.communicate()
    except TimeoutError:
        raise PowerError(host, f"`{' '.join(argv)}` did not end within {timeout_s:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    texts = (each.decode(errors="replace").strip() for each in (output, errors))
    return Ended(process.returncode or 0, *texts)
