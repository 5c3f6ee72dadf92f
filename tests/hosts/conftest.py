"""A real sshd on loopback for a test: as the user who runs the tests, with keys of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as altered
from pathlib import Path

import asyncssh
import pytest

from idcbench.hosts.inventory import HostEntry

PROGRAM = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running server and the entry that reaches it."""

    entry: HostEntry
    process: subprocess.Popen[bytes]
    folder: Path

    def but(self, **changed: object) -> HostEntry:
        return altered(self.entry, **changed)  # type: ignore[arg-type]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    """A server that lets root in; skipped where none can run."""
    if PROGRAM is None:
        pytest.skip("needs sshd: install openssh-server")
    if os.getuid() != 0:
        pytest.skip("needs root: sshd then reaches root without sudo")
    with sshd(tmp_path) as running:
        yield running


@contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """Listens on a free port; ``known_hosts`` in ``folder`` has its key, ``id`` is the one that it lets in."""
    for name in ("host", "id"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        key.write_public_key(folder / f"{name}.pub")
        (folder / name).chmod(0o600)
    port = _free_port()
    (folder / "authorized").write_text((folder / "id.pub").read_text())
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nPidFile none\nStrictModes no\n"
        f"AuthorizedKeysFile {folder / 'authorized'}\nPasswordAuthentication no\nUsePAM no\n"
    )
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([str(PROGRAM), "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    try:
        _until_listening(port)
        entry = HostEntry(
            name="here",
            address="127.0.0.1",
            node_address="127.0.0.1",
            roles=frozenset({"worker"}),
            port=port,
            user=getpass.getuser(),
            key=folder / "id",
            known_hosts=folder / "known_hosts",
        )
        yield Sshd(entry, process, folder)
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _until_listening(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
