"""How the outside talks to the supervisor: one line of JSON a request, one a reply, over a Unix socket of mode 0600."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from ...errors import ClusterError, UsageError
from ...kube.access import connect_unix

LIMIT_BYTES = 64 * 1024 * 1024
VERBS = frozenset(
    "components happenings kill stop start restart freeze thaw link limit"
    " freeze_host thaw_host stop_host start_host shutdown".split()
)


class Request(msgspec.Struct, frozen=True):
    verb: str
    arguments: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True):
    """``error`` is empty when the verb was done; ``usage`` tells a caller's mistake from a failure."""

    result: Any = None
    error: str = ""
    usage: bool = False


@contextlib.asynccontextmanager
async def serve(verbs: object, path: Path) -> AsyncIterator[None]:
    """Answer requests by calling the method of ``verbs`` that the request names."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await _obey(verbs, line)) + b"\n")
                await writer.drain()

    server = await asyncio.start_unix_server(answer, sock=listen_unix(path), limit=LIMIT_BYTES)
    async with server:
        yield


async def _obey(verbs: object, line: bytes) -> Reply:
    try:
        request = msgspec.json.decode(line, type=Request)
        if request.verb not in VERBS:
            raise UsageError(f"no verb {request.verb!r}; there are {', '.join(sorted(VERBS))}")
        return Reply(result=await getattr(verbs, request.verb)(**request.arguments))
    except (UsageError, TypeError, msgspec.MsgspecError) as error:
        return Reply(error=str(error), usage=True)
    except Exception as error:  # noqa: BLE001 - whatever went wrong is told to the caller; PID 1 lives on
        return Reply(error=f"{type(error).__name__}: {error}{_stderr(error)}")


def _stderr(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    return f": {said.strip()}" if said else ""


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket of mode 0600, however long its path is."""
    path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    previous = os.umask(0o177)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.umask(previous)
        os.close(folder)
    listener.listen(128)
    return listener


async def ask(path: Path, verb: str, *, timeout_s: float = 60.0, **arguments: Any) -> Any:
    """Have the supervisor do ``verb``. Raises :class:`ClusterError` when it does not answer or could not do it."""
    try:
        async with asyncio.timeout(timeout_s):
            reply = await _exchange(path, Request(verb, arguments))
    except TimeoutError:
        raise ClusterError(f"the cluster's supervisor did not finish {verb!r} within {timeout_s:g} s") from None
    except OSError as error:
        raise ClusterError(f"the cluster's supervisor is not there ({error}); see `idcbench status`") from None
    if reply.error:
        raise (UsageError if reply.usage else ClusterError)(reply.error)
    return reply.result


async def _exchange(path: Path, request: Request) -> Reply:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connect_unix(client, path)
        client.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=client, limit=LIMIT_BYTES)
    except BaseException:
        client.close()
        raise
    with contextlib.closing(writer):
        writer.write(msgspec.json.encode(request) + b"\n")
        line = await reader.readline()
    if not line:
        raise ConnectionError("it closed the connection")
    return msgspec.json.decode(line, type=Reply)
