"""Doing what the plan says: all hosts at once where they can be, one after the other where etcd wants it."""

from __future__ import annotations

import asyncio
import secrets
import string
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from ...hosts.fleet import Fleet
from ...hosts.inventory import HostEntry
from ...hosts.ssh import SshHost
from ..artifacts.bundle import Bundle
from . import configuration, leaving, node_settings, own_scheduler, paths, scripts, static_pods
from .difference import Work
from .kubectl import Kubectl
from .node_settings import NodeWork
from .plan import Plan
from .remote import run_step
from .stale import forget
from .state import State
from .supplying import import_images, place_files, send_blobs
from .wanted import Shared, WantedFile, control_plane_file, managed_paths, traits_of

INSTALL_S, SETTINGS_S, INIT_S, JOIN_S, CLEAN_S = 600.0, 60.0, 420.0, 420.0, 120.0
TOKEN_LETTERS = string.ascii_lowercase + string.digits


@dataclass(slots=True, kw_only=True)
class Clock:
    """How long each stage took, in seconds, by name; stages that overlap count each for itself."""

    seconds: dict[str, float] = field(default_factory=dict)

    @asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[None]:
        began_s = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Acts on connected hosts. ``say`` is told every step that ends."""

    fleet: Fleet
    state: State
    bundle: Bundle
    shared: Shared
    version: str
    say: Callable[[str], None]
    clock: Clock = field(default_factory=Clock)

    async def act(self, plan: Plan, *, addons: Sequence[str]) -> None:
        """Do it all; raises at the first thing that fails. Steps that hosts have begun end there all the same."""
        if plan.clean:
            async with self.clock.stage("clean"):
                (await self.fleet.each(self._clean, hosts=self._hosts(plan.clean))).check()
        works = [work for work in plan.work.values() if work]
        if works:
            await self._prepare(works)
        leader = await self._begin(plan)
        members = {host.name for host in self.state.members}
        await self._static_pods([work for work in works if work.static_pods and work.host in members])
        if plan.join and plan.first is None:
            await forget(leader, plan.join)
        token = await self._token(leader) if plan.join else ""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._addons(leader, addons))
            group.create_task(self._nodes(leader, plan.nodes))
            group.create_task(self._workers([h for h in plan.join if not h.is_control_plane], token))
            group.create_task(self._control_planes([h for h in plan.join if h.is_control_plane], token))
        for work in plan.joined:
            await node_settings.created(Kubectl(leader), work.host)
        await self._nodes(leader, plan.joined)
        if plan.first is not None and plan.join:
            await self._spread_dns(leader)
        await self._schedulers(plan, leader)

    async def _prepare(self, works: Sequence[Work]) -> None:
        by_host = {work.host: work for work in works}
        hosts = [self.fleet[name] for name in by_host]

        async def prepare(host: SshHost) -> None:
            await self._prepare_host(host, by_host[host.name])

        (await self.fleet.each(prepare, hosts=hosts)).check()

    async def _prepare_host(self, host: SshHost, work: Work) -> None:
        script = leaving.remember(managed_paths(self.state.inventory, host.entry))
        await self._step(host, "remember", script, SETTINGS_S)
        blobs = [*work.packages, *work.binaries]
        if blobs:
            async with self.clock.stage(f"copy {host.name}"):
                await send_blobs(host, self.bundle, blobs)
        async with self.clock.stage(f"install {host.name}"):
            await _side_by_side(*self._installs(host, work))
            if work.files:
                await place_files(host, work.files)
                self.say(f"{host.name}: {len(work.files)} files written")
            if work.settings:
                await self._step(host, "settings", scripts.host_settings(), SETTINGS_S)
            if work.swap:
                await self._step(host, "swap", scripts.swap_off(), SETTINGS_S)
            if work.start or work.restart or work.files:
                script = scripts.services(start=work.start, restart=work.restart)
                await self._step(host, "services", script, SETTINGS_S)
        if work.images:
            async with self.clock.stage(f"import {host.name}"):
                await import_images(host, self.bundle, work.images)
                self.say(f"{host.name}: {len(work.images)} images imported")

    def _installs(self, host: SshHost, work: Work) -> Iterator[Coroutine[Any, Any, None]]:
        """dpkg waits for the disk, programs are unpacked by the processor."""
        if work.packages:
            yield self._step(host, "packages", scripts.packages(work.packages), INSTALL_S)
        if work.binaries:
            yield self._step(host, "binaries", scripts.binaries(work.binaries), INSTALL_S)

    async def _begin(self, plan: Plan) -> SshHost:
        """The control plane that others are joined through, made when there is none."""
        if plan.first is None:
            return self.fleet[self.state.control_planes[0].name]
        host, entry = self.fleet[plan.first.name], plan.first
        async with self.clock.stage("init"):
            text = configuration.init_configuration(
                self.state.inventory,
                entry,
                traits_of(self.state.facts[entry.name]),
                version=self.version,
                token=new_token(),
            )
            await place_files(host, [_secret(paths.KUBEADM_CONFIG, text), *self._settings(entry)])
            script = scripts.kubeadm("init --skip-token-print --skip-certificate-key-print", plan.cluster)
            await self._step(host, "init", script, INIT_S)
        return host

    async def _static_pods(self, works: Sequence[Work]) -> None:
        """One control plane after the other, once the cluster has the settings for those that join."""
        for work in works:
            if (settings := work.static_pods) is None:
                continue
            host = self.fleet[work.host]
            await place_files(host, [static_pods.in_waiting(settings)])
            if work is works[0]:
                await self._step(host, "upload", static_pods.UPLOAD, SETTINGS_S)
            await self._step(host, "static-pods", static_pods.renewal(host.entry.node_address), static_pods.RENEW_S)

    async def _control_planes(self, hosts: Sequence[HostEntry], token: str) -> None:
        for entry in hosts:
            async with self.clock.stage(f"join {entry.name}"):
                await self._join(entry, token)

    async def _workers(self, hosts: Sequence[HostEntry], token: str) -> None:
        async def join(host: SshHost) -> None:
            async with self.clock.stage(f"join {host.name}"):
                await self._join(host.entry, token)

        (await self.fleet.each(join, hosts=self._hosts(hosts))).check()

    async def _join(self, entry: HostEntry, token: str) -> None:
        host = self.fleet[entry.name]
        traits = traits_of(self.state.facts[entry.name])
        authority = self.shared.files[f"{paths.PKI}/ca.crt"]
        discovery = configuration.discovery_kubeconfig(self.state.inventory, authority_pem=authority, token=token)
        files = [
            _secret(paths.JOIN_KUBECONFIG, discovery),
            _secret(paths.KUBEADM_CONFIG, configuration.join_configuration(entry, traits, token=token)),
            *self._settings(entry),
        ]
        await place_files(host, files)
        await self._step(host, "join", scripts.kubeadm("join", self.state.inventory.name), JOIN_S)

    def _settings(self, entry: HostEntry) -> list[WantedFile]:
        """What the static pods of a host that becomes a control plane are made by, noted there."""
        settings = control_plane_file(self.state.inventory, entry, version=self.version)
        return [settings] if settings else []

    async def _token(self, leader: SshHost) -> str:
        """A bootstrap token for the hosts that join now; it is given as an object, so that no argument holds it."""
        token = new_token()
        await Kubectl(leader).apply(configuration.token_manifest(token))
        return token

    async def _addons(self, leader: SshHost, manifests: Sequence[str]) -> None:
        if manifests:
            async with self.clock.stage("addons"):
                await Kubectl(leader).apply("\n---\n".join(manifests))
                self.say("cluster: addons applied")

    async def _schedulers(self, plan: Plan, leader: SshHost) -> None:
        """Let kube-scheduler rest once ours is ready, or serve again; on hosts that have just joined it begins to."""
        waking = [self.fleet[name] for name, work in plan.work.items() if work.wake]
        for host in waking:
            await self._step(host, "scheduler", own_scheduler.WAKE, SETTINGS_S)
        if own_scheduler.NAME in plan.drop:
            await Kubectl(leader).run("delete", own_scheduler.DEPLOYMENT, "-n", own_scheduler.NAMESPACE,
                                      "--ignore-not-found")  # fmt: skip
            self.say("cluster: idcbench's scheduler removed")
        if self.state.inventory.scheduler != "idcbench":
            return
        resting = {name for name, work in plan.work.items() if work.rest}
        joined = {host.name for host in (*plan.join, *([plan.first] if plan.first else [])) if host.is_control_plane}
        if resting | joined:
            limit_s = own_scheduler.READY_S
            await Kubectl(leader).run("rollout", "status", own_scheduler.DEPLOYMENT, "-n", own_scheduler.NAMESPACE,
                                      f"--timeout={limit_s}s", timeout_s=limit_s + 10)  # fmt: skip
        for name in sorted(resting | joined):
            await self._step(self.fleet[name], "scheduler", own_scheduler.REST, SETTINGS_S)

    async def _spread_dns(self, leader: SshHost) -> None:
        """All of CoreDNS was put on the first host, when there was no other; with that host every name would go."""
        await Kubectl(leader).run("rollout", "restart", "deployment/coredns", "-n", "kube-system")
        self.say("cluster: CoreDNS spread over the hosts")

    async def _nodes(self, leader: SshHost, works: Sequence[NodeWork]) -> None:
        for work in works:
            await node_settings.apply(Kubectl(leader), work)
            self.say(f"{work.host}: {len(work.words)} labels and taints set")

    async def _clean(self, host: SshHost) -> None:
        await self._step(host, "clean", scripts.reset(is_control_plane=host.entry.is_control_plane), CLEAN_S)

    async def _step(self, host: SshHost, step: str, script: str, limit_s: float) -> None:
        done = await run_step(host, step, script, limit_s=limit_s)
        self.say(f"{host.name}: {step} done in {done.seconds:.1f} s")

    def _hosts(self, entries: Sequence[HostEntry]) -> list[SshHost]:
        return [self.fleet[entry.name] for entry in entries]


async def _side_by_side(*works: Coroutine[Any, Any, None]) -> None:
    """All of them to their end; raises the first error."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if result is not None:
            raise result


def new_token() -> str:
    """A bootstrap token, ``[a-z0-9]{6}.[a-z0-9]{16}``."""
    part = "".join(secrets.choice(TOKEN_LETTERS) for _ in range(22))
    return f"{part[:6]}.{part[6:]}"


def _secret(path: str, text: str) -> WantedFile:
    return WantedFile(path=path, content=text.encode(), mode=0o600)
