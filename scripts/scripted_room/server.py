"""SSH in front of scripted machines: each command is understood by its shape, and its time on the line is kept."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncssh
from etcd import Gateway
from files import Keys
from machine import Machine, encoded
from slow import SlowLine

ETCD_PORT = 2379
Process = asyncssh.SSHServerProcess[bytes]


@dataclass
class Servers:
    """All machines' servers; each listens on an address of its own."""

    keys: Keys
    latency_s: float
    _open: dict[str, tuple[asyncssh.SSHAcceptor, SlowLine, Gateway]] = field(default_factory=dict)

    async def add(self, machine: Machine) -> None:
        gateway = Gateway(machine)
        host = _Host(machine, gateway)
        acceptor = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: _Login(gateway), process_factory=host.serve, encoding=None,
            server_host_keys=[self.keys.host], authorized_client_keys=str(self.keys.authorized), keepalive_interval=0,
        )  # fmt: skip
        line = SlowLine(to_port=acceptor.get_port(), one_way_s=self.latency_s / 2)
        await line.listen(machine.ssh_address, self.keys.port)
        host.cut = line.cut
        self._open[machine.name] = acceptor, line, gateway

    async def remove(self, machine: Machine) -> None:
        """As a machine that loses its power: nothing answers any more."""
        acceptor, line, gateway = self._open.pop(machine.name)
        line.close()
        acceptor.close()
        await gateway.close()

    async def close(self) -> None:
        for acceptor, line, gateway in self._open.values():
            line.close()
            acceptor.close()
            await gateway.close()


class _Login(asyncssh.SSHServer):
    """Lets who has the key in, and forwards to etcd."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def connection_requested(
        self, _host: str, dest_port: int, _orig_host: str, _orig_port: int
    ) -> Callable[[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]], Awaitable[None]] | bool:
        return self._forward if dest_port == ETCD_PORT else False

    async def _forward(self, reader: asyncssh.SSHReader[bytes], writer: asyncssh.SSHWriter[bytes]) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", await self._gateway.opened())
        await asyncio.gather(_pump(reader, outer), _pump(inner, writer), return_exceptions=True)


async def _pump(reader: object, writer: object) -> None:
    try:
        while data := await reader.read(65536):  # type: ignore[attr-defined]
            writer.write(data)  # type: ignore[attr-defined]
    finally:
        writer.close()  # type: ignore[attr-defined]


@dataclass
class _Host:
    machine: Machine
    gateway: Gateway
    cut: Callable[[], None] = lambda: None

    async def serve(self, process: Process) -> None:
        """One command from its beginning to its end."""
        words = shlex.split(process.command or "")
        if words[:1] == ["sudo"]:
            words = words[words.index("--") + 1 :]
        if words[:1] == ["timeout"]:
            words = words[3:]
        try:
            code = await self._answer(process, words)
        except (BrokenPipeError, ConnectionError, asyncssh.Error):
            return
        except Exception as error:  # noqa: BLE001 - what a host says when something fails
            process.stderr.write(f"{type(error).__name__}: {error}\n".encode())
            code = 1
        process.exit(code)

    async def _answer(self, process: Process, words: list[str]) -> int:
        match words:
            case ["true"]:
                return 0
            case ["id", "-u"]:
                return _say(process, "0\n")
            case ["kubectl", *rest]:
                code, said = self.machine.cluster.kubectl(rest, await process.stdin.read())
                (process.stdout if code == 0 else process.stderr).write(said.encode())
                return code
            case ["sh", "-s", "--", *managed]:
                await process.stdin.read()
                return _say(process, self.machine.facts(managed))
            case ["bash", "-c", _, "lock", holder, silence_s, patience_s]:
                return await self._lock(process, holder, float(silence_s), float(patience_s))
            case ["sh", "-c", _, named, step, _, _] if named == f"step {step}":
                return await self._step(process, step)
            case ["sh", "-c", _, what, *rest]:
                return await self._small(process, what, rest)
            case ["sh", "-c", _]:
                await process.stdin.read()
                return 0
        process.stderr.write(f"not understood: {shlex.join(words)}\n".encode())
        return 127

    async def _small(self, process: Process, what: str, rest: list[str]) -> int:
        match what:
            case "read":
                content = self.machine.read(rest[0])
                return 44 if content is None else _say(process, encoded(content))
            case "list":
                return _say(process, "\n".join(self.machine.blobs))
            case "write files":
                self.machine.place(await process.stdin.read())
            case "import images":
                self.machine.import_images(await process.stdin.read())
            case "copy":
                self.machine.unpack(await process.stdin.read())
            case "ended":
                while rest[0].removeprefix("idcbench-step-").removesuffix(".service") in self.machine.running:
                    await asyncio.sleep(0.01)
            case _:
                process.stderr.write(f"not understood: {what}\n".encode())
                return 127
        return 0

    async def _step(self, process: Process, step: str) -> int:
        script = (await process.stdin.read()).decode()
        if step in ("init", "join"):
            self.machine.begin_mark()
        task = self.machine.begin(step, script)
        if step in self.machine.cut_at:
            self.machine.cut_at.discard(step)
            self.cut()
        await asyncio.shield(task)
        return _say(process, "done\n")

    async def _lock(self, process: Process, holder: str, silence_s: float, patience_s: float) -> int:
        if self.machine.lock.locked():
            _say(process, f"held {self.machine.holder}\n")
        try:
            await asyncio.wait_for(self.machine.lock.acquire(), patience_s)
        except TimeoutError:
            return _say(process, f"held {self.machine.holder}\n")
        try:
            self.machine.holder = holder
            process.stdout.write(b"taken\n")
            while await asyncio.wait_for(process.stdin.readline(), silence_s):
                pass
        except TimeoutError:
            pass
        finally:
            self.machine.lock.release()
        return 0


def _say(process: Process, text: str) -> int:
    process.stdout.write(text.encode())
    return 0
