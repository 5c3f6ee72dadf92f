"""Measuring on all hosts at once: one process on each, which listens, asks the others, and leaves nothing.

The process (:mod:`.on_host`) ends with its input, so a broken connection ends it too; an alarm does in any case. Hosts
that are in a cluster are asked, but nothing listens there and no disk is tried: what runs there is not disturbed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any

import asyncssh

from ...errors import IdcError
from ...hosts.failure import HostError
from ...hosts.fleet import Fleet, side_by_side
from ...hosts.ssh import SshHost
from ..facts.facts import Facts, FactsError, parse_facts
from .disks import ETCD
from .evidence import Evidence, HostEvidence
from .ports import VXLAN, asked, ports_on

SCRIPT = (files(__package__) / "on_host.py").read_bytes()
START = """\
import os
def read(n):
    got = b""
    while len(got) < n and (more := os.read(0, n - len(got))): got += more
    return got
exec(read(int(read(8))))"""
"""Reads the script from the input, so that neither it nor the plan is among the words of a command."""
ANSWER_S = 15.0
"""For a step of the conversation, by a host that is busy."""
CLOCK_READINGS = 5
QUICK = 500, 2.0
"""fdatasyncs, and for how many seconds at most."""
DEEP = 20_000, 20.0
Process = asyncssh.SSHClientProcess[str]


async def measure(fleet: Fleet, evidence: Evidence, *, deep: bool = False) -> Evidence:
    """The evidence with what was measured, or why a host was not; takes some seconds, with ``deep`` twenty more."""
    able = {host.name: host for host in evidence.hosts if "python3" in host.facts.pairs("program")}
    hosts = {name: fleet[name] for name in able}
    async with contextlib.AsyncExitStack() as stack:
        talks = _Talks(hosts, able, stack, deep=deep)
        for step in (talks.begin, talks.clock, talks.go, talks.end):
            await talks.each(step)
    measured = {name: talks.heard[name] for name in able if name in talks.heard}
    return _with(
        evidence, measured, {name: str(why).removeprefix(f"host {name}: ") for name, why in talks.failed.items()}
    )


def _with(evidence: Evidence, measured: Mapping[str, Facts], unmeasured: Mapping[str, str]) -> Evidence:
    return Evidence(
        inventory=evidence.inventory,
        facts=evidence.facts,
        unreached=evidence.unreached,
        measured=measured,
        unmeasured=unmeasured,
        bundle=evidence.bundle,
        now=evidence.now,
    )


class _Talks:
    """The conversations with all hosts, step by step; a host that fails in one takes no part in the next."""

    def __init__(
        self, hosts: Mapping[str, SshHost], able: Mapping[str, HostEvidence], stack: contextlib.AsyncExitStack, *,
        deep: bool,
    ) -> None:  # fmt: skip
        self._hosts, self._able, self._stack, self._deep = hosts, able, stack, deep
        self._processes: dict[str, Process] = {}
        self._lines: dict[str, list[str]] = {name: [] for name in hosts}
        self.heard: dict[str, Facts] = {}
        self.failed: dict[str, IdcError | TimeoutError] = {}

    async def each(self, step: Callable[[str], Awaitable[None]]) -> None:
        going = [name for name in self._hosts if name not in self.failed]
        jobs = {name: _job(self._timed(step), name) for name in going}
        outcome = await side_by_side(jobs, at_once=max(1, len(jobs)))  # what is awaited is the hosts' work
        self.failed |= outcome.failed

    def _timed(self, step: Callable[[str], Awaitable[None]]) -> Callable[[str], Awaitable[None]]:
        limit_s = ANSWER_S + (DEEP[1] if self._deep else QUICK[1])

        async def timed(name: str) -> None:
            try:
                async with asyncio.timeout(limit_s):
                    await step(name)
            except TimeoutError:
                raise HostError(name, f"measuring did not end within {limit_s:.0f} s") from None
            except (asyncssh.Error, OSError) as error:
                raise HostError(name, f"the connection ended while measuring: {error}") from None

        return timed

    async def begin(self, name: str) -> None:
        """Start the process; it listens when this returns."""
        process = await self._stack.enter_async_context(self._hosts[name].talk("python3", "-IS", "-c", START))
        self._processes[name] = process
        plan = plan_of(self._able[name], deep=self._deep)
        process.stdin.write(f"{len(SCRIPT):8d}{SCRIPT.decode()}{plan!r}\n")
        await self._until(name, "ready=yes")

    async def clock(self, name: str) -> None:
        """Read its clock some times: the quickest answer bounds it best."""
        for _ in range(CLOCK_READINGS):
            asked_ns = time.time_ns()
            self._processes[name].stdin.write("time\n")
            line = await self._line(name)
            self._lines[name].append(f"{line} {asked_ns} {time.time_ns()}")

    async def go(self, name: str) -> None:
        """Measure; all hosts listen by now."""
        self._processes[name].stdin.write("go\n")
        await self._until(name, "done=yes")

    async def end(self, name: str) -> None:
        """Take what it heard of others, who have all ended by now."""
        self._processes[name].stdin.write("end\n")
        await self._until(name, "complete=yes")
        try:
            self.heard[name] = parse_facts("\n".join(self._lines[name]))
        except FactsError as error:
            raise HostError(name, str(error)) from None

    async def _until(self, name: str, last: str) -> None:
        while (line := await self._line(name)) != last:
            self._lines[name].append(line)
        self._lines[name].append(line)

    async def _line(self, name: str) -> str:
        line = await self._processes[name].stdout.readline()
        if not line:
            said = (await self._processes[name].stderr.read()).strip().splitlines()
            raise HostError(name, f"measuring ended early: {said[-1] if said else 'it said nothing'}")
        return line.rstrip("\n")


def _job(step: Callable[[str], Awaitable[None]], name: str) -> Callable[[], Awaitable[None]]:
    return lambda: step(name)


def plan_of(host: HostEvidence, *, deep: bool) -> dict[str, Any]:
    """What :mod:`.on_host` is told: plain values that ``ast.literal_eval`` reads."""
    evidence, entry = host.all, host.entry
    inventory, idle = evidence.inventory, not host.is_in_use
    endpoint = inventory.endpoint
    others = [other for other in evidence.hosts if other.name != host.name]
    overlay = inventory.network.plugin == "flannel"
    balanced = endpoint.mode == "keepalived" and entry.is_control_plane and bool(host.interface)
    link = host.facts.links.get(host.interface)
    return {
        "address": entry.node_address,
        "listen": [port.number for port in ports_on(inventory, entry) if port.asked_by] if idle else [],
        "echo": VXLAN if idle else 0,
        "port": VXLAN,
        "mtu": link.mtu if link else 1500,
        "tcp": [
            (other.name, other.entry.node_address, [port.number for port in asked(inventory, entry, other.entry)])
            for other in others
        ],
        "udp": [(other.name, other.entry.node_address) for other in others if idle and not other.is_in_use],
        "vrrp": [
            other.entry.node_address
            for other in others
            if balanced and idle and other.entry.is_control_plane and not other.is_in_use
        ],
        "arp": (host.interface, endpoint.address) if balanced else (),
        "endpoint": (endpoint.address, endpoint.port) if endpoint.mode == "external" else (),
        "vxlan": idle and overlay,
        "sync": (ETCD, *(DEEP if deep else QUICK)) if entry.is_control_plane and (idle or deep) else (),
        "alarm_s": int(4 * (ANSWER_S + DEEP[1])),
    }  # fmt: skip
