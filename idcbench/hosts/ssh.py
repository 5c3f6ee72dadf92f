"""A host reached by SSH: one connection, a channel for each command."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shlex
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, field

import asyncssh

from .completed import Completed, named
from .connecting import Connection, connect
from .failure import HostError, NotStartedError, TooLateError
from .inventory import HostEntry

CHANNELS = 4
"""Commands at once on one connection. sshd allows 10 (MaxSessions), and counts one that has ended until it has read all
that lies before it, new ones included: so it may see twice as many, besides those that are talked to."""
END_S = 5
"""After its time a command is told to end; so much later it is killed, both by the host itself."""
CHUNK_BYTES = 256 * 1024
KILLED = 255
"""The exit code of a command that a signal ended."""
Content = bytes | Iterable[bytes] | AsyncIterable[bytes]


@dataclass(frozen=True, slots=True)
class SshHost:
    """A host with its connection open; made by :func:`reached`. Commands run as root where the inventory says sudo."""

    entry: HostEntry
    connection: Connection
    password: str | None = field(default=None, repr=False)
    """What sudo asks for; ``None`` when it asks for nothing."""
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CHANNELS))

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def address(self) -> str:
        """The one that the cluster uses."""
        return self.entry.node_address

    async def run(self, *argv: str, timeout_s: float = 30.0, sudo: bool = True, content: Content = b"") -> Completed:
        """Run a command to its end, ``content`` as its input; as root unless ``sudo`` is false.

        Raises :class:`TooLateError` after ``timeout_s``; the command is dead by then, also when the connection is cut.
        Raises :class:`HostError` when the connection ends.
        """
        name, late = named(argv), f"did not end within {timeout_s:g} s"
        timed = ["timeout", f"--kill-after={END_S}", f"{timeout_s:g}", *argv]
        become, first = self._become() if sudo else ([], b"")
        command = shlex.join([*become, *timed])
        try:
            async with (
                self._slots,
                asyncio.timeout(timeout_s + 2 * END_S),
                await self._started(name, command) as process,
            ):
                await _feed(process, first, content)
                stdout, stderr = await process.communicate()
                code, ended = process.exit_status, process.exit_signal
        except TimeoutError:
            raise TooLateError(self.name, f"`{name}` {late}, and the host does not say so") from None
        except (asyncssh.Error, OSError) as error:
            raise HostError(self.name, f"the connection ended during `{name}`: {_said(error)}") from error
        if code is None and ended is None:
            raise HostError(self.name, f"the connection ended during `{name}`; is the host on?")
        if code in (124, 137):
            raise TooLateError(self.name, f"`{name}` {late}")
        return Completed(self.name, argv, KILLED if code is None else code, _text(stdout), _text(stderr))

    async def _started(self, name: str, command: str) -> asyncssh.SSHClientProcess[bytes]:
        try:
            return await self.connection.create_process(command, encoding=None)
        except (asyncssh.Error, OSError) as error:
            message = f"`{name}` could not be started: {_said(error)}; is the host on?"
            raise NotStartedError(self.name, message) from error

    @contextlib.asynccontextmanager
    async def talk(self, *argv: str) -> AsyncIterator[asyncssh.SSHClientProcess[str]]:
        """A command that goes on while one talks to it, line by line; it is ended when the block is left.

        Raises :class:`HostError` when it cannot be started.
        """
        become, first = self._become()
        try:
            process = await self.connection.create_process(shlex.join([*become, *argv]))
        except (asyncssh.Error, OSError) as error:
            raise HostError(self.name, f"`{argv[0]}` could not be started: {_said(error)}") from error
        if first:
            process.stdin.write(first.decode())
        try:
            yield process
        finally:
            process.close()

    async def read(self, path: str) -> bytes | None:
        """The content of a file; ``None`` when there is none. Raises as :meth:`run`, and :class:`CommandError`."""
        found = await self.run("sh", "-c", 'if [ -e "$1" ]; then base64 -w0 "$1"; else exit 44; fi', "read", path)
        if found.exit_code == 44:
            return None
        return base64.b64decode(found.check().stdout)

    def _become(self) -> tuple[list[str], bytes]:
        """The words that make a command root's, and what has to be said on its standard input first."""
        if not self.entry.sudo:
            return [], b""
        if self.password is None:
            return ["sudo", "-n", "--"], b""
        return ["sudo", "-k", "-S", "-p", "", "--"], self.password.encode() + b"\n"


@contextlib.asynccontextmanager
async def reached(entry: HostEntry, *, through: Connection | None = None) -> AsyncIterator[SshHost]:
    """The host, connected and able to become root. Raises :class:`HostError` with what to do."""
    connection = await connect(entry, through=through)
    try:
        yield await _able(SshHost(entry, connection))
    finally:
        connection.abort()


async def _able(host: SshHost) -> SshHost:
    """Find out how the host lets us become root."""
    entry = host.entry
    if not entry.sudo:
        found = await host.run("id", "-u")
        if found.stdout.strip() != "0":
            raise HostError(host.name, f"{entry.user} is not root; say sudo: true, or log in as root")
        return host
    without = await host.run("true")
    if without.exit_code == 0:
        return host
    if entry.sudo_password is None:
        raise HostError(
            host.name,
            f"sudo does not let {entry.user} become root without a password ({_last(without)}); give sudo_password as "
            "file:PATH or env:NAME, or allow it in /etc/sudoers.d",
        )
    able = SshHost(entry, host.connection, entry.sudo_password.reveal())
    tried = await able.run("true")
    if tried.exit_code:
        raise HostError(host.name, f"sudo refuses the password of {entry.sudo_password}: {_last(tried)}")
    return able


async def _feed(process: asyncssh.SSHClientProcess[bytes], first: bytes, content: Content) -> None:
    """Write the input with the other side's pace; a command that ends before it has read all may do so."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        if first:
            process.stdin.write(first)
        async for chunk in _chunks(content):
            process.stdin.write(chunk)
            await process.stdin.drain()
        process.stdin.write_eof()


async def _chunks(content: Content) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        for begin in range(0, len(content), CHUNK_BYTES):
            yield content[begin : begin + CHUNK_BYTES]
    elif isinstance(content, AsyncIterable):
        async for chunk in content:
            yield chunk
    else:
        for chunk in content:
            yield chunk


def _text(output: bytes | str | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def _last(completed: Completed) -> str:
    lines = (completed.stderr or completed.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit code {completed.exit_code}"


def _said(error: Exception) -> str:
    return getattr(error, "reason", "") or str(error) or type(error).__name__
