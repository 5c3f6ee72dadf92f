"""A step on a host, as a unit of systemd: it goes on when the connection breaks, and a later run finds it again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ...errors import ClusterError
from ...hosts.failure import HostError
from ...hosts.ssh import SshHost
from ..facts.facts import Facts
from . import paths

UNIT = "idcbench-step-{}.service"
TOLD_LINES = 12
START = """\
set -eu
umask 077
name=$1; limit=$2; folder=$3/$1
mkdir -p "$folder"
cat > "$folder/script.new"
mv "$folder/script.new" "$folder/script"
: > "$folder/log"
code=0
systemd-run --quiet --collect --wait --unit="idcbench-step-$name" --property=RuntimeMaxSec="$limit" \\
    --property=KillMode=control-group --property=StandardOutput="append:$folder/log" \\
    --property=StandardError="append:$folder/log" --setenv=LC_ALL=C \\
    --setenv=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
    /bin/sh -eu "$folder/script" || code=$?
cat "$folder/log"
exit $code
"""
"""Its output goes to a file, not to the connection: a step whose connection breaks must not die of its first word."""


class StepError(ClusterError):
    """A step on a host failed; the text has the end of what it said."""

    def __init__(self, host: str, step: str, why: str, output: str) -> None:
        lines = [line for line in output.strip().splitlines() if line.strip()][-TOLD_LINES:]
        said = "".join(f"\n    {line}" for line in lines) or " it said nothing"
        super().__init__(
            f"host {host}: step {step} {why};{said}\n  the whole log: {paths.STEPS}/{step}/log there; run the same "
            "again when the cause is mended, it goes on from here"
        )
        self.host, self.step, self.output = host, step, output


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step that ended well."""

    host: str
    step: str
    seconds: float
    output: str


async def run_step(host: SshHost, step: str, script: str, *, limit_s: float) -> Done:
    """Run ``script`` (POSIX sh, ``set -eu``) as the unit ``idcbench-step-STEP`` to its end.

    The unit is ended by its host after ``limit_s``, whatever becomes of this machine. Raises :class:`StepError`, and
    :class:`HostError` when the connection ends, while the step goes on.
    """
    began_s = time.monotonic()
    arguments = ("sh", "-c", START, f"step {step}", step, f"{limit_s:g}", paths.STEPS)
    try:
        done = await host.run(*arguments, content=script.encode(), timeout_s=limit_s + 15)
    except TimeoutError:
        raise StepError(host.name, step, f"did not end within {limit_s:g} s", await _log(host, step)) from None
    if done.exit_code:
        raise StepError(host.name, step, f"ended with {done.exit_code}", done.stdout + done.stderr)
    return Done(host=host.name, step=step, seconds=time.monotonic() - began_s, output=done.stdout)


async def until_idle(
    host: SshHost, facts: Facts, *, say: Callable[[str], None], again: Callable[[SshHost], Awaitable[Facts]]
) -> Facts:  # fmt: skip
    """Wait for steps that an earlier run began and that still go on; each ends by its own limit.

    Gives the facts once nothing runs. Raises :class:`HostError` when a step does not end within an hour.
    """
    until_s = time.monotonic() + 3600
    while running := facts.all("step"):
        if time.monotonic() > until_s:
            unit = running[0]
            raise HostError(host.name, f"{unit} of an earlier run does not end; `systemctl stop {unit}` there")
        say(f"host {host.name}: waiting for {', '.join(running)} of an earlier run")
        await asyncio.gather(*(_ended(host, unit) for unit in running))
        facts = await again(host)
    return facts


async def _ended(host: SshHost, unit: str) -> None:
    """Return when the unit is not active any more, at the latest after 20 s; busctl would need a reader of signals."""
    script = 'for _ in $(seq 40); do systemctl is-active --quiet "$1" || exit 0; sleep 0.5; done'
    await host.run("sh", "-c", script, "ended", unit, timeout_s=30)


async def _log(host: SshHost, step: str) -> str:
    return (await host.run("tail", "-n", "50", f"{paths.STEPS}/{step}/log")).stdout
