"""Opening the one SSH connection to a host, and saying in a sentence why that does not work."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import asyncssh

from ..errors import IdcError
from .failure import HostError
from .inventory import HostEntry

CONNECT_S = 10.0
KEEPALIVE_S = 5.0
KEEPALIVES = 3
"""A host that says nothing for 15 s is given up."""
CIPHERS = "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"
"""The first is what a processor has instructions for; any OpenSSH since 6.2 has all of them."""
USUAL_KNOWN_HOSTS = "~/.ssh/known_hosts"
Connection = asyncssh.SSHClientConnection


async def connect(entry: HostEntry, *, through: Connection | None = None) -> Connection:
    """A connection to the host, ``through`` another one where a jump host stands before it.

    The host's key must be known; with ``host_keys: first-use`` one that was never seen is added to the file first.
    Raises :class:`HostError`.
    """
    known = known_hosts_of(entry)
    try:
        async with asyncio.timeout(CONNECT_S):
            if entry.host_keys == "first-use":
                await _learn(entry, known, through)
            return await asyncssh.connect(entry.address, entry.port, **_options(entry, known), tunnel=through or ())
    except HostError:
        raise
    except Exception as error:
        raise HostError(entry.name, why_not(error, entry, known)) from error


def known_hosts_of(entry: HostEntry) -> Path:
    """The file with the keys of hosts."""
    return entry.known_hosts or Path(USUAL_KNOWN_HOSTS).expanduser()


def _options(entry: HostEntry, known: Path) -> dict[str, Any]:
    options: dict[str, Any] = {
        "username": entry.user,
        "known_hosts": str(known) if known.exists() else b"",
        "config": None,
        "encryption_algs": CIPHERS,
        "compression_algs": ("none",),
        "keepalive_interval": KEEPALIVE_S,
        "keepalive_count_max": KEEPALIVES,
    }
    if entry.key is not None:
        options["client_keys"] = [str(entry.key)]
    if entry.password is not None:
        options["password"] = entry.password.reveal()
    return options


async def _learn(entry: HostEntry, known: Path, through: Connection | None) -> None:
    """Write the host's key into the file when there is none for it; a key that changed is not taken."""
    place = entry.address if entry.port == 22 else f"[{entry.address}]:{entry.port}"
    if known.exists() and any(asyncssh.match_known_hosts(str(known), entry.address, entry.address, entry.port)[:2]):
        return
    key = await asyncssh.get_server_host_key(entry.address, entry.port, tunnel=through or (), config=None)
    if key is None:
        raise HostError(entry.name, "shows no key of its own; a server of OpenSSH is wanted")
    known.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with known.open("a") as file:
        file.write(f"{place} {key.export_public_key().decode().strip()}\n")


def why_not(error: Exception, entry: HostEntry, known: Path) -> str:
    """What happened, and what to do."""
    place = f"{entry.address} port {entry.port}"
    match error:
        case IdcError():
            return str(error)
        case TimeoutError():
            return f"{place} does not answer within {CONNECT_S:.0f} s; is it on, and is the address right?"
        case ConnectionRefusedError():
            return f"{place} refuses connections; is sshd running, and is `port` right?"
        case socket.gaierror():
            return f"no address is known for the name {entry.address}; write the address, or mend the name service"
        case asyncssh.HostKeyNotVerifiable():
            return (
                f"its key is not the one in {known}, or not in it; check it on the host (ssh-keygen -lf "
                f"/etc/ssh/ssh_host_ed25519_key.pub), then `ssh-keyscan -p {entry.port} {entry.address} >> {known}`, "
                "or say host_keys: first-use"
            )
        case asyncssh.PermissionDenied():
            means = f"key {entry.key}" if entry.key else "any key of the agent or ~/.ssh"
            also = " or the password" if entry.password else ""
            return (
                f"{place} does not let {entry.user} in with {means}{also}; name the right `user` and `key`, or install "
                f"the key: ssh-copy-id -p {entry.port} {entry.user}@{entry.address}"
            )
        case asyncssh.KeyEncryptionError() | asyncssh.KeyImportError():
            return f"key {entry.key} cannot be used: {error}; for one with a passphrase, add it to the agent: ssh-add"
        case asyncssh.ChannelOpenError():
            return f"{place} cannot be reached through {entry.jump}: {error.reason}"
        case FileNotFoundError() | PermissionError():
            return f"{error.filename}: {error.strerror}; name the right `key` or `known_hosts`"
        case OSError():
            return f"{place} cannot be reached: {error.strerror or error}; is it on, and is the address right?"
        case asyncssh.DisconnectError():
            return f"{place} ended the connection: {error.reason or error}"
        case _:
            return f"{place}: {type(error).__name__}: {error}"
