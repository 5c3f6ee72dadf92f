"""Three hosts in network namespaces on one switch, and a way to talk to them as over SSH."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

HOSTS = {"cp1": "192.0.2.11", "cp2": "192.0.2.12", "cp3": "192.0.2.13"}


@dataclass(frozen=True, slots=True)
class Talk:
    """What asyncssh gives, of a local process."""

    process: asyncio.subprocess.Process

    @property
    def stdin(self) -> Talk:
        return self

    def write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())

    @property
    def stdout(self) -> Talk:
        return self

    async def readline(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode()

    @property
    def stderr(self) -> Talk:
        return self

    async def read(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace, held by a process that does nothing else."""

    name: str
    pid: int

    def run(self, *argv: str) -> None:
        subprocess.run(["nsenter", "-t", str(self.pid), "-n", *argv], check=True, capture_output=True, timeout=10)

    @contextlib.asynccontextmanager
    async def talk(self, *argv: str) -> AsyncIterator[Talk]:
        program = [sys.executable if argv[0] == "python3" else argv[0], *argv[1:]]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "nsenter", "-t", str(self.pid), "-n", *program, stdin=pipe, stdout=pipe, stderr=pipe
        )
        try:
            yield Talk(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await asyncio.wait_for(process.wait(), 10)


@dataclass(frozen=True, slots=True)
class Room:
    """The hosts by name, and the switch that they are on."""

    hosts: dict[str, Namespace]
    switch: Namespace

    def links(self) -> str:
        """All interfaces of all hosts."""
        shown = [["nsenter", "-t", str(host.pid), "-n", "ip", "-o", "link"] for host in self.hosts.values()]
        return "".join(subprocess.run(each, check=True, capture_output=True, text=True).stdout for each in shown)


def missing() -> str:
    """Why no room can be made here; empty when one can."""
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            return f"needs {program}"
    tried = subprocess.run(["unshare", "-n", "true"], capture_output=True)
    return "" if tried.returncode == 0 else "needs the right to make network namespaces"


@contextlib.contextmanager
def room() -> Iterator[Room]:
    with contextlib.ExitStack() as stack:
        switch, *hosts = (stack.enter_context(_namespace(name)) for name in ("switch", *HOSTS))
        switch.run("ip", "link", "add", "br0", "type", "bridge")
        switch.run("ip", "link", "set", "br0", "up")
        for host in hosts:
            switch.run("ip", "link", "add", host.name, "type", "veth", "peer", "name", "eth0", "netns", str(host.pid))
            switch.run("ip", "link", "set", host.name, "master", "br0", "up")
            host.run("ip", "address", "add", f"{HOSTS[host.name]}/24", "dev", "eth0")
            host.run("ip", "link", "set", "eth0", "up")
        yield Room({host.name: host for host in hosts}, switch)


@contextlib.contextmanager
def _namespace(name: str) -> Iterator[Namespace]:
    # what cat prints says that the namespace is there; it ends with its input
    process = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield Namespace(name, process.pid)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
