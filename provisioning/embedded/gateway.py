"""The way in: hands out sockets of the inner network by descriptor, and relays a loopback port for foreign clients.

Run inside as ``python -m idcbench.provisioning.embedded.gateway SOCKET HOST PORT``. A socket that it hands
out belongs to the inner network for good, so nothing stands between its holder and the endpoint. The relay's
listening socket comes as standard input and was opened outside, so it listens there, on loopback only.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from pathlib import Path

from .control import listen_unix

CHUNK_BYTES = 65536


def hand_out(listener: socket.socket) -> None:
    """Answer one client with an unconnected TCP socket of this network."""
    with contextlib.suppress(OSError):
        client, _ = listener.accept()
        with client, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as inner:
            inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            socket.send_fds(client, [b"s"], [inner.fileno()])


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, host: str, port: int) -> None:
    """Copy one client's bytes to the endpoint and back until either side ends."""
    try:
        async with asyncio.timeout(10):
            inner_reader, inner_writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        writer.close()
        return
    with contextlib.suppress(OSError):
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
    for end in (writer, inner_writer):
        end.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
    finally:
        with contextlib.suppress(OSError, RuntimeError):
            sink.write_eof() if sink.can_write_eof() else sink.close()


async def serve(path: Path, *, host: str, port: int) -> None:
    listener = listen_unix(path)
    asyncio.get_running_loop().add_reader(listener, hand_out, listener)
    outer = socket.socket(fileno=0)
    server = await asyncio.start_server(lambda r, w: relay(r, w, host=host, port=port), sock=outer)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), host=sys.argv[2], port=int(sys.argv[3])))
