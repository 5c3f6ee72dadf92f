"""How a client reaches a cluster: addresses, credentials, and sockets of the cluster's own network."""

from __future__ import annotations

import array
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SocketFactory = Callable[[Any], socket.socket]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Everything a client needs to talk to a cluster. Picklable, so that instruments in other processes can use it.

    ``server`` is the URL of the endpoint (behind it all API servers), ``members`` one URL per API server, empty where
    they cannot be reached one by one. Files are PEM; exactly one of client certificate or token is given.
    ``gateway`` is a Unix socket that hands out sockets of the cluster's network (:func:`gateway_socket`); ``None``
    where the ordinary network leads there. ``kubeconfig`` is a file for clients that are not ours, with its context.
    """

    server: str
    kubeconfig: Path
    context: str = ""
    members: tuple[str, ...] = ()
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    token_file: Path | None = None
    gateway: Path | None = None

    def ssl_context(self) -> ssl.SSLContext:
        """A client context that trusts the cluster's CA and shows the client certificate. Raises ``OSError``."""
        context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        if self.cert_file and self.key_file:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def headers(self) -> dict[str, str]:
        """The authorization header when a token is used; the token file is read anew, as tokens rotate."""
        return {"Authorization": f"Bearer {self.token_file.read_text().strip()}"} if self.token_file else {}

    def socket_factory(self) -> SocketFactory | None:
        """What ``aiohttp.TCPConnector(socket_factory=…)`` takes; ``None`` means the ordinary network."""
        gateway = self.gateway
        return None if gateway is None else lambda _addr_info: gateway_socket(gateway)


def gateway_socket(gateway: Path, *, timeout_s: float = 5.0) -> socket.socket:
    """An unconnected, non-blocking TCP socket that belongs to the network behind ``gateway``.

    The gateway accepts a connection, answers with one descriptor (SCM_RIGHTS) and closes. Connecting the socket
    then happens in that network, with nothing in between. Raises ``OSError`` when no gateway answers in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ask:
        ask.settimeout(timeout_s)
        connect_unix(ask, gateway)
        _, ancillary, _, _ = ask.recvmsg(1, socket.CMSG_SPACE(array.array("i").itemsize))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            handed_over = socket.socket(fileno=array.array("i", data)[0])
            handed_over.setblocking(False)
            return handed_over
    raise ConnectionError(f"{gateway}: the cluster's gateway answered without a socket; is the cluster stopping?")


def connect_unix(client: socket.socket, path: Path) -> None:
    """Connect to a Unix socket however long its path is: by way of its folder's descriptor (sun_path ends at 108)."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        client.connect(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
