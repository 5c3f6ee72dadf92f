"""PID 1 of the embedded cluster: makes the network, starts every process in order, restarts what falls, obeys verbs.

Run as ``python -m idcbench.provisioning.embedded.supervisor PLAN``; prints its outer process id once it exists. Until
it is handed over by a ``K`` on the lifeline it ends with whoever holds the other end; the kernel then removes the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path

import msgspec

from ...cluster import COMPONENTS, ComponentState, Happening, Link
from ...errors import ClusterError, IdcError, UsageError
from . import network
from .control import serve
from .namespaces import mount_private, unshare_all
from .plan import CLIENTS, Plan, read_plan
from .process import Process
from .readyz import Readyz

BEFORE_API = ("etcd", "haproxy", "keepalived")
AFTER_API = ("kube-controller-manager", "kube-scheduler", "idcbench-scheduler")
"""They exit or stall when they start before their API server has its roles."""
LOG_LIMIT_BYTES = 256 * 1024 * 1024
LOG_CHECK_S = 60


class Supervisor:
    """All processes of one cluster by host and component, and the verbs on them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._readyz = Readyz(plan)
        self._happenings: list[Happening] = []
        self._timeline = plan.timeline.open("ab", buffering=0)
        self._stopped_hosts: set[str] = set()
        self._held: set[tuple[str, str]] = set()  # what the verb `stop` stopped: down until the verb `start`
        self._tasks: set[asyncio.Task[None]] = set()
        self._processes: dict[tuple[str, str], Process] = {}
        for host, programs in [*((h.name, h.programs) for h in plan.hosts), (CLIENTS, plan.clients)]:
            for program in programs:
                log = plan.logs / host / f"{program.component}.log"
                if program.held:
                    self._held.add((host, program.component))
                self._processes[host, program.component] = Process(
                    program,
                    host=host,
                    log=log,
                    note=self._note,
                )

    # --- start and end

    async def boot(self) -> None:
        """Start everything: the first API server alone, so that it has the processors; the others while it fills its
        storage with the default roles, which is waiting for the disk; the controllers where those are there."""
        network.create(self.plan)
        self._process(CLIENTS, "gateway").start()  # the node simulator waits for its verb
        first, *others = self.plan.hosts
        self._start_some(first.name, (*BEFORE_API, "kube-apiserver"))
        await self._readyz.wait_for_etcd(first)
        for host in others:
            self._start_some(host.name, BEFORE_API)
        await self._readyz.wait_for_any_answer(first)
        for host in others:
            self._process(host.name, "kube-apiserver").start()
        for host in self.plan.hosts:
            self._spawn(self._finish_host(host.name))

    async def end(self) -> None:
        """Stop everything in good order, data kept: controllers, API servers, then what they stand on."""
        for group in (("kwok", *AFTER_API), ("kube-apiserver",), ("keepalived", "haproxy", "gateway")):
            await asyncio.gather(*(p.stop() for p in self._processes.values() if p.component in group))
        # the last etcd would wait 7 s for somebody to take the lead; its log is synced, so a kill loses nothing
        await asyncio.gather(*(p.cut_off() for p in self._processes.values() if p.component == "etcd"))

    def reap(self) -> None:
        """Collect every child that has ended, orphans too, as PID 1 must."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for process in self._processes.values():
                if process.pid == pid:
                    process.on_exit(status)

    async def watch_logs(self) -> None:
        """Keep any one log from filling the disk: what outgrows the limit begins anew."""
        while True:
            await asyncio.sleep(LOG_CHECK_S)
            for process in self._processes.values():
                with contextlib.suppress(FileNotFoundError):
                    if process.log.stat().st_size > LOG_LIMIT_BYTES:
                        os.truncate(process.log, 0)

    # --- verbs (called by control.serve; keyword arguments as they came over the socket)

    async def components(self) -> list[ComponentState]:
        return [process.state() for process in self._processes.values()]

    async def happenings(self, *, since_ns: int = 0) -> list[Happening]:
        return [happening for happening in self._happenings if happening.at_ns > since_ns]

    async def kill(self, *, host: str, component: str) -> None:
        await self._running(host, component).kill()

    async def stop(self, *, host: str, component: str) -> None:
        process = self._process(host, component)
        self._held.add((host, component))
        await process.stop()

    async def start(self, *, host: str, component: str) -> None:
        self._held.discard((host, component))
        self._process(host, component).start()

    async def restart(self, *, host: str, component: str) -> None:
        await self._process(host, component).restart()

    async def freeze(self, *, host: str, component: str) -> None:
        self._running(host, component).freeze()

    async def thaw(self, *, host: str, component: str) -> None:
        self._running(host, component).thaw()

    async def link(self, *, host: str, state: Link) -> None:
        self._known(host)
        network.set_link(host, state)  # in this thread: what it runs must be reaped by itself
        self._say(host, f"link {state}")

    async def limit(self, *, host: str, bits_per_s: int | None) -> None:
        self._known(host)
        network.set_limit(host, bits_per_s)
        self._say(host, "limit lifted" if bits_per_s is None else f"limited to {bits_per_s} bit/s")

    async def freeze_host(self, *, host: str) -> None:
        for process in self._of(host):
            if process.pid is not None:
                process.freeze()
        _signal_host(host, signal.SIGSTOP)

    async def thaw_host(self, *, host: str) -> None:
        _signal_host(host, signal.SIGCONT)
        for process in self._of(host):
            if process.pid is not None:
                process.thaw()

    async def stop_host(self, *, host: str) -> None:
        """As a power cut: the link goes, then every process at once; nothing is written any more."""
        self._known(host)
        network.set_link(host, "no-carrier")
        self._stopped_hosts.add(host)
        await asyncio.gather(*(process.cut_off() for process in self._of(host)))
        _signal_host(host, signal.SIGKILL)
        self._say(host, "host stopped")

    async def start_host(self, *, host: str) -> None:
        self._known(host)
        self._stopped_hosts.discard(host)
        network.set_link(host, "up")
        self._say(host, "host started")
        self._start_some(host, (*BEFORE_API, "kube-apiserver"))
        self._spawn(self._finish_host(host))

    async def shutdown(self) -> None:
        """Answered first; then everything ends in good order and PID 1 with it."""
        self._spawn(self._shut_down())

    # --- parts

    async def _shut_down(self) -> None:
        await self.end()
        os._exit(0)

    async def _finish_host(self, name: str) -> None:
        await self._readyz.wait(self.plan.host(name))
        if name not in self._stopped_hosts:
            self._start_some(name, AFTER_API)

    def _start_some(self, host: str, components: tuple[str, ...]) -> None:
        for component in COMPONENTS:
            if component in components and self._has(host, component) and (host, component) not in self._held:
                self._process(host, component).start()

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _has(self, host: str, component: str) -> bool:
        return (host, component) in self._processes

    def _of(self, host: str) -> list[Process]:
        self._known(host)
        return [process for process in self._processes.values() if process.host == host]

    def _known(self, host: str) -> None:
        if host not in {planned.name for planned in self.plan.hosts}:
            hosts = ", ".join(planned.name for planned in self.plan.hosts)
            raise UsageError(f"no host {host!r} in this cluster; its hosts are {hosts}")

    def _process(self, host: str, component: str) -> Process:
        if (host, component) not in self._processes:
            known = ", ".join(sorted({f"{h}/{c}" for h, c in self._processes}))
            raise UsageError(f"no {component!r} on {host!r}; there are {known}")
        return self._processes[host, component]

    def _running(self, host: str, component: str) -> Process:
        process = self._process(host, component)
        if process.pid is None:
            raise UsageError(f"{component} on {host} is {process.state().state}, so there is nothing to act on")
        return process

    def _say(self, host: str, what: str) -> None:
        self._note(Happening(at_ns=time.monotonic_ns(), host=host, component="", what=what, asked=True))

    def _note(self, happening: Happening) -> None:
        self._happenings.append(happening)
        self._timeline.write(msgspec.json.encode(happening) + b"\n")


def _signal_host(host: str, number: signal.Signals) -> None:
    """To every process in the host's network, those that came by `exec` too."""
    wanted = Path(f"/run/netns/{host}").stat().st_ino
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "ns/net").stat().st_ino == wanted:
                os.kill(int(folder.name), number)


async def supervise(plan: Plan, *, lifeline: int) -> None:
    """Run the cluster until it is told to end or its lifeline is cut."""
    loop = asyncio.get_running_loop()
    supervisor = Supervisor(plan)
    loop.add_signal_handler(signal.SIGCHLD, supervisor.reap)
    loop.add_signal_handler(signal.SIGTERM, lambda: supervisor._spawn(supervisor.shutdown()))
    loop.add_reader(lifeline, _on_lifeline, loop, lifeline)
    async with serve(supervisor, plan.control):
        await supervisor.boot()
        await supervisor.watch_logs()


def _on_lifeline(loop: asyncio.AbstractEventLoop, lifeline: int) -> None:
    if os.read(lifeline, 1) == b"K":
        loop.remove_reader(lifeline)
        os.close(lifeline)
    else:
        os._exit(1)  # PID 1 ends, and with it everything


def main() -> None:
    plan_file, alive_file, lifeline = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    try:
        unshare_all()
    except IdcError as error:
        sys.exit(str(error))
    child = os.fork()
    if child:
        alive_file.write_text(str(child))  # for whoever must end it without a record to read
        print(child, flush=True)
        os._exit(0)
    plan = read_plan(plan_file)
    # held by PID 1 alone and freed by the kernel: whether the cluster lives is whether this lock is held
    alive = os.open(alive_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(alive, fcntl.LOCK_EX)
    with (plan.logs / "supervisor.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    try:
        mount_private()
        asyncio.run(supervise(plan, lifeline=lifeline))
    except (ClusterError, OSError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(1)


if __name__ == "__main__":
    main()
