"""The verbs of :class:`idcbench.cluster.Faults` on the machines of an inventory, over SSH and by the hosts' power."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...cluster import ComponentState, Happening, Link
from ...errors import UsageError
from ...hosts.failure import HostError
from ...hosts.lasting import LastingHost
from ..kubeadm import paths
from ..power.driver import PowerDriver
from ..power.lab import LabPower
from . import verbs
from .watching import Watcher


@dataclass(slots=True, kw_only=True)
class HostFaults:
    """``hosts`` are all machines of the inventory by name, ``power`` the drivers of those that have one."""

    hosts: Mapping[str, LastingHost]
    power: Mapping[str, PowerDriver]
    watcher: Watcher
    _own: list[Happening] = field(default_factory=list)
    _frozen: set[tuple[str, str]] = field(default_factory=set)

    async def kill(self, host: str, component: str) -> None:
        await self._act("kill", host, component)

    async def stop(self, host: str, component: str) -> None:
        await self._act("stop", host, component, said="stopped")

    async def start(self, host: str, component: str) -> None:
        await self._act("start", host, component, said="started")

    async def restart(self, host: str, component: str) -> None:
        await self._act("restart", host, component, said="restarted")

    async def freeze(self, host: str, component: str) -> None:
        await self._act("freeze", host, component, said="frozen")
        self._frozen.add((host, component))

    async def thaw(self, host: str, component: str) -> None:
        self._frozen.discard((host, component))
        await self._act("thaw", host, component, said="thawed")

    async def link(self, host: str, state: Link) -> None:
        """A lab's switch does it. Elsewhere a host can only be silenced, by its own packet filter, which leaves SSH."""
        driver = self.power.get(host)
        if isinstance(driver, LabPower):
            await {"up": driver.heal, "no-carrier": driver.unplug, "silent": driver.cut}[state]()
        elif state == "no-carrier":
            raise UsageError(f"host {host}: its plug is out of reach; `silent` can be had")
        else:
            script = verbs.SILENT if state == "silent" else verbs.AUDIBLE
            driver_address, port = await self._connection(host)
            await self._script(host, script, driver_address, port)
        self._say(host, "", f"link {state}")

    async def limit(self, host: str, bits_per_s: int | None) -> None:
        await self._script(host, verbs.LIMIT, self._known(host).address, str(bits_per_s or 0))
        self._say(host, "", "unlimited" if bits_per_s is None else f"limited to {bits_per_s} bit/s")

    async def freeze_host(self, host: str) -> None:
        await self._lab(host).freeze()
        self._say(host, "", "host frozen")

    async def thaw_host(self, host: str) -> None:
        await self._lab(host).thaw()
        self._say(host, "", "host thawed")

    async def stop_host(self, host: str) -> None:
        """Take its power; nobody inside is asked."""
        await self._power(host).off()
        self._say(host, "", "host stopped")

    async def start_host(self, host: str) -> None:
        """Give it power; what runs on it comes by itself."""
        await self._power(host).on()
        self._say(host, "", "host started")

    async def components(self) -> Sequence[ComponentState]:
        """Of the hosts that can be reached; one that is off has none."""
        states = await self.watcher.states()
        return [
            ComponentState(host=s.host, component=s.component, state="frozen", pid=s.pid, restarts=s.restarts)
            if (s.host, s.component) in self._frozen and s.state == "running"
            else s
            for s in states
        ]

    async def happenings(self, *, since_ns: int = 0) -> Sequence[Happening]:
        found = [*self._own, *await self.watcher.exits()]
        return sorted((one for one in found if one.at_ns > since_ns), key=lambda one: one.at_ns)

    async def _act(self, verb: str, host: str, component: str, *, said: str = "") -> None:
        if component not in (*paths.STATIC_PODS, *verbs.UNITS):
            known = ", ".join((*paths.STATIC_PODS, *verbs.UNITS))
            raise UsageError(f"no component {component!r} on hosts of an inventory; there are {known}")
        await self._script(host, verbs.script(verb, component), component)
        if said:
            self._say(host, component, said)

    async def _script(self, host: str, script: str, *arguments: str) -> None:
        done = await self._known(host).run("sh", "-c", script, "verb", *arguments, timeout_s=verbs.ACT_S)
        if done.exit_code == verbs.ABSENT:
            raise UsageError(f"host {host}: {done.stderr.strip()}, so there is nothing to act on")
        if done.exit_code:
            words = (done.stderr or done.stdout).strip().splitlines()
            raise HostError(host, f"the fault could not be made: {words[-1] if words else done.exit_code}")

    async def _connection(self, host: str) -> tuple[str, str]:
        """From where this machine reaches the host, as the host sees it, and its port of SSH."""
        connection = (await self._known(host).connected()).connection
        seen = await connection.run("echo $SSH_CONNECTION", check=True)
        words = str(seen.stdout).split()
        return words[0], words[3]

    def _known(self, host: str) -> LastingHost:
        if host not in self.hosts:
            raise UsageError(f"no host {host!r} in this cluster; its hosts are {', '.join(self.hosts)}")
        return self.hosts[host]

    def _power(self, host: str) -> PowerDriver:
        self._known(host)
        if host not in self.power:
            raise UsageError(f"host {host}: nothing says how its power is switched; give it `power` in the inventory")
        return self.power[host]

    def _lab(self, host: str) -> LabPower:
        driver = self._power(host)
        if not isinstance(driver, LabPower):
            raise UsageError(f"host {host}: only a lab can freeze a whole host")
        return driver

    def _say(self, host: str, component: str, what: str) -> None:
        self._own.append(
            Happening(at_ns=time.monotonic_ns(), host=host, component=component, what=what, asked=True)
        )  # fmt: skip
