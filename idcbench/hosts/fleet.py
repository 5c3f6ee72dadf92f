"""All hosts of an inventory at once: each reached once, worked on side by side, and what failed told per host."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Generic, TypeVar

from ..errors import IdcError
from .connecting import Connection, connect
from .failure import HostError
from .gateway import gateway_of
from .inventory import HostEntry, Inventory
from .ssh import SshHost, reached

AT_ONCE = 50
"""Connections that are being made, or hosts that are being worked on, at one time."""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What work on hosts came to, by name: a result, or why there is none."""

    done: Mapping[str, Result]
    failed: Mapping[str, IdcError | TimeoutError]

    def check(self) -> Mapping[str, Result]:
        """The results of all; raises the first failure, which tells how many more there are."""
        if not self.failed:
            return self.done
        name, error = next(iter(self.failed.items()))
        more = [each for each in self.failed if each != name]
        if not more:
            raise error
        raise HostError(name, f"{str(error).removeprefix(f'host {name}: ')} (and so {', '.join(more)})")


@dataclass(frozen=True, slots=True)
class Fleet:
    """Hosts that are connected; ``unreached`` says of the others why they are not."""

    inventory: Inventory
    hosts: tuple[SshHost, ...]
    unreached: Mapping[str, HostError]

    def __getitem__(self, name: str) -> SshHost:
        for host in self.hosts:
            if host.name == name:
                return host
        raise self.unreached.get(name) or KeyError(name)

    def check(self) -> None:
        """Raise why the first host that was not reached was not, if there is one."""
        for error in self.unreached.values():
            raise error

    async def each(
        self, work: Callable[[SshHost], Awaitable[Result]], *, hosts: Sequence[SshHost] | None = None
    ) -> Outcome[Result]:
        """Do ``work`` on all hosts (or on some) side by side; an error of one does not disturb the others."""
        chosen = self.hosts if hosts is None else hosts
        return await side_by_side({host.name: _bound(work, host) for host in chosen})


def _bound(work: Callable[[SshHost], Awaitable[Result]], host: SshHost) -> Callable[[], Awaitable[Result]]:
    return lambda: work(host)


async def side_by_side(
    jobs: Mapping[str, Callable[[], Awaitable[Result]]], *, at_once: int = AT_ONCE
) -> Outcome[Result]:
    """Do jobs, a limited number at a time, in the order given. Only errors that a user can mend are caught."""
    slots = asyncio.Semaphore(at_once)
    done: dict[str, Result] = {}
    failed: dict[str, IdcError | TimeoutError] = {}

    async def one(name: str, job: Callable[[], Awaitable[Result]]) -> None:
        async with slots:
            try:
                done[name] = await job()
            except (IdcError, TimeoutError) as error:
                failed[name] = error

    async with asyncio.TaskGroup() as group:
        for name, job in jobs.items():
            group.create_task(one(name, job))
    return Outcome({name: done[name] for name in jobs if name in done}, {n: failed[n] for n in jobs if n in failed})


@contextlib.asynccontextmanager
async def fleet(inventory: Inventory, *, only: Sequence[str] = ()) -> AsyncIterator[Fleet]:
    """Connect to all hosts, or ``only`` some, side by side; jump hosts first, each once."""
    entries = [host for host in inventory.hosts if not only or host.name in only]
    async with contextlib.AsyncExitStack() as stack:
        ways = _Ways(inventory, stack)

        async def reach(entry: HostEntry) -> SshHost:
            return await stack.enter_async_context(reached(entry, through=await ways.to(entry)))

        outcome = await side_by_side({entry.name: _reaching(reach, entry) for entry in entries})
        unreached = {
            name: error if isinstance(error, HostError) else HostError(name, str(error))
            for name, error in outcome.failed.items()
        }
        yield Fleet(inventory, tuple(outcome.done.values()), unreached)


def _reaching(reach: Callable[[HostEntry], Awaitable[SshHost]], entry: HostEntry) -> Callable[[], Awaitable[SshHost]]:
    return lambda: reach(entry)


class _Ways:
    """Connections to jump hosts, each opened once, however many hosts lie behind it."""

    def __init__(self, inventory: Inventory, stack: contextlib.AsyncExitStack) -> None:
        self._inventory = inventory
        self._stack = stack
        self._opened: dict[str, asyncio.Task[Connection]] = {}

    async def to(self, entry: HostEntry) -> Connection | None:
        if not entry.jump:
            return None
        if entry.jump not in self._opened:
            self._opened[entry.jump] = asyncio.create_task(self._open(self._jump(entry)))
        return await asyncio.shield(self._opened[entry.jump])

    async def _open(self, jump: HostEntry) -> Connection:
        connection = await connect(jump, through=await self.to(jump))
        self._stack.callback(connection.abort)
        return connection

    def _jump(self, entry: HostEntry) -> HostEntry:
        gateway = gateway_of(entry.jump)
        if gateway is None:
            return self._inventory.host(entry.jump)
        return HostEntry(
            name=f"{entry.jump} (before {entry.name})",
            address=gateway.address,
            node_address=str(IPv4Address(0)),
            roles=frozenset(),
            user=gateway.user,
            port=gateway.port,
            key=entry.key,
            known_hosts=entry.known_hosts,
            host_keys=entry.host_keys,
        )
