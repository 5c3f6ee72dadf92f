"""Following the components of all hosts: what runs, and what has exited since, in this machine's time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...cluster import COMPONENTS, ComponentState, Happening
from ...errors import ClusterError, IdcError
from ...hosts.lasting import LastingHost
from ...measure.clock import ClockPair
from ...measure.clock_offset import host_offset
from ..kubeadm import paths
from .looking import INSPECT, LOOK, Inspected, Look, Unit, parse_inspected, parse_look

LOOK_S = 15.0
FOLLOWED = (*COMPONENTS, "kubelet", "containerd")


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Looks at hosts when it is asked to; an exit is found whenever it was, as runtime and systemd remember it.

    A host that is off tells nothing, and what was running on it has not exited as far as this knows: its power did.
    """

    hosts: Mapping[str, LastingHost]
    _offsets_ns: dict[str, int] = field(default_factory=dict)
    _inspected: dict[str, Inspected] = field(default_factory=dict)
    _exits: list[Happening] = field(default_factory=list)
    _units: dict[tuple[str, str], Unit] = field(default_factory=dict)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self) -> None:
        """Learn the clocks of the hosts, and what had exited before. Raises :class:`ClusterError`."""
        offsets = await asyncio.gather(*(host_offset(host) for host in self.hosts.values()))
        self._offsets_ns = {offset.host: round(offset.offset_ms * 1e6) for offset in offsets}
        await self.exits()
        self._exits.clear()

    async def states(self) -> list[ComponentState]:
        """Each component of each host that can be reached."""
        looks = await self._look()
        return [state for host, look in looks.items() for state in self._states(host, look)]

    async def exits(self) -> list[Happening]:
        """What has exited since :meth:`begin`, oldest first."""
        await self._look()
        return sorted(self._exits, key=lambda one: one.at_ns)

    async def _look(self) -> dict[str, Look]:
        async with self._looking:
            found = await asyncio.gather(*(self._look_at(host) for host in self.hosts.values()))
            return {host: look for host, look in zip(self.hosts, found, strict=True) if look is not None}

    async def _look_at(self, host: LastingHost) -> Look | None:
        try:
            async with asyncio.timeout(LOOK_S):
                look = parse_look((await host.run("sh", "-c", LOOK, timeout_s=LOOK_S)).check().stdout)
                await self._inspect(host, look)
        except (IdcError, TimeoutError):
            return None
        except ValueError as error:
            raise ClusterError(f"host {host.name}: what runs there cannot be read: {error}") from None
        for unit in look.units:
            self._follow(host.name, unit)
        return look

    async def _inspect(self, host: LastingHost, look: Look) -> None:
        """Ask the runtime about containers that are new, or that ran when it was last asked and run no more."""
        unknown = [
            one for one in look.containers
            if one.id not in self._inspected or (not one.runs and not self._inspected[one.id].finished_ns)
        ]  # fmt: skip
        if not unknown:
            return
        done = await host.run("sh", "-c", INSPECT, "inspect", *(one.id for one in unknown), timeout_s=LOOK_S)
        component = {one.id: one.component for one in unknown}
        for one in parse_inspected(done.stdout):
            self._inspected[one.id] = one
            if one.finished_ns:
                self._note(host.name, component[one.id], one.finished_ns, one.exit_code, one.last_lines)

    def _follow(self, host: str, unit: Unit) -> None:
        before = self._units.get((host, unit.name))
        self._units[host, unit.name] = unit
        if before is not None and unit.restarts > before.restarts:
            self._note(host, unit.name, unit.exited_ns, None, ())

    def _note(self, host: str, component: str, at_ns: int, code: int | None, lines: tuple[str, ...]) -> None:
        here_ns = ClockPair.read().monotonic_of(at_ns - self._offsets_ns.get(host, 0))
        self._exits.append(
            Happening(at_ns=here_ns, host=host, component=component, what="exited", asked=False, exit_code=code,
                      last_lines=lines)
        )  # fmt: skip

    def _states(self, host: str, look: Look) -> list[ComponentState]:
        pods = [self._pod(host, name, look) for name in paths.STATIC_PODS]
        units = [
            ComponentState(
                host=host, component=unit.name, state="running" if unit.active else "stopped", pid=unit.pid or None,
                restarts=unit.restarts,
            )
            for unit in look.units
            if unit.name in FOLLOWED and (unit.active or unit.restarts)
        ]  # fmt: skip
        return [*itertools.chain.from_iterable(pods), *units]

    def _pod(self, host: str, name: str, look: Look) -> list[ComponentState]:
        mine = [one for one in look.containers if one.component == name]
        if not mine and name not in look.aside:
            return []
        restarts = max((one.attempt for one in mine), default=0)
        for one in mine:
            if one.runs and one.id in self._inspected:
                pid = self._inspected[one.id].pid
                return [ComponentState(host=host, component=name, state="running", pid=pid, restarts=restarts)]
        state = ComponentState(
            host=host, component=name, state="stopped" if name in look.aside else "waiting", restarts=restarts
        )
        return [state]
