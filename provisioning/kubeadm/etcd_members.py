"""The members of etcd, asked of one control plane by etcd's JSON gateway through its SSH connection."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncssh
import msgspec

from ...hosts.connecting import Connection
from ...hosts.failure import HostError
from ...hosts.inventory import HostEntry
from ...hosts.ssh import SshHost
from ..controlplane.flags import ETCD_CLIENT_PORT
from . import paths

LIMIT_S = 10.0
NOBODY = "0"
"""The ID of no member, as etcd writes it."""
ONE_S = aiohttp.ClientTimeout(total=3.0)
CREDENTIALS = ("etcd/ca.crt", "etcd/healthcheck-client.crt", "etcd/healthcheck-client.key")


class Member(msgspec.Struct, frozen=True, rename="camel"):
    """A member; one that was added and has not started yet has no name. A learner has no vote."""

    ID: str = msgspec.field(name="ID")
    name: str = ""
    peer_ur_ls: tuple[str, ...] = msgspec.field(name="peerURLs", default=())
    client_ur_ls: tuple[str, ...] = msgspec.field(name="clientURLs", default=())
    is_learner: bool = False

    def is_at(self, address: str) -> bool:
        """Whether it is, or is to be, on the host with this address."""
        return any(f"//{address}:" in url for url in self.peer_ur_ls)

    def is_of(self, host: HostEntry) -> bool:
        """Whether it is a host's, by its name too: a machine that stands in for it may have another address."""
        return self.name == host.name or self.is_at(host.node_address)


class _Status(msgspec.Struct, frozen=True):
    leader: str = NOBODY


class _Members(msgspec.Struct, frozen=True):
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Etcd:
    """etcd as one control plane sees it. Made by :func:`etcd_of`."""

    host: str
    _session: aiohttp.ClientSession
    _url: str
    _connection: Connection

    async def members(self) -> tuple[Member, ...]:
        """All of them, learners too, as a majority knows them. Raises :class:`HostError` when there is none."""
        return msgspec.json.decode(
            await self._call("cluster/member/list", b'{"linearizable": true}'), type=_Members
        ).members

    async def remove(self, member: Member) -> None:
        """Take a member out. Raises :class:`HostError` when etcd refuses, as it does where a majority would go."""
        await self._call("cluster/member/remove", msgspec.json.encode({"ID": member.ID}))

    async def healthy(self, members: Sequence[Member]) -> frozenset[str]:
        """The IDs of those members that answer and know a leader; each is asked through this control plane."""
        return frozenset(await self.leaders(members))

    async def leaders(self, members: Sequence[Member]) -> dict[str, str]:
        """Whom each member takes for the leader, by ID; a member that does not answer, or knows none, is not in it."""
        found = await asyncio.gather(*(self._leader(member) for member in members))
        return {member.ID: leader for member, leader in zip(members, found, strict=True) if leader != NOBODY}

    async def _leader(self, member: Member) -> str:
        address = next((urlsplit(url).hostname for url in member.client_ur_ls), None)
        if address is None:
            return NOBODY
        try:
            listener = await self._connection.forward_local_port("127.0.0.1", 0, address, ETCD_CLIENT_PORT)
        except (asyncssh.Error, OSError):
            return NOBODY
        url = f"https://127.0.0.1:{listener.get_port()}/v3/maintenance/status"
        try:
            async with self._session.post(url, data=b"{}", server_hostname="localhost", timeout=ONE_S) as answer:
                body = await answer.read()
            return msgspec.json.decode(body, type=_Status).leader if answer.status == 200 else NOBODY
        except (aiohttp.ClientError, OSError, TimeoutError, msgspec.MsgspecError):
            return NOBODY
        finally:
            listener.close()

    async def _call(self, path: str, body: bytes) -> bytes:
        try:
            async with self._session.post(f"{self._url}/v3/{path}", data=body, server_hostname="localhost") as answer:
                found = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise HostError(self.host, f"etcd does not answer ({error or 'too late'}); is a majority up?") from None
        if answer.status != 200:
            raise HostError(self.host, f"etcd refuses {path}: {found[:200].decode(errors='replace')}")
        return found


@contextlib.asynccontextmanager
async def etcd_of(host: SshHost) -> AsyncIterator[Etcd]:
    """etcd on a control plane, for as long as the block lasts. Raises :class:`HostError`."""
    with tempfile.TemporaryDirectory(prefix="idcbench-") as text:
        folder = Path(text)
        for name in CREDENTIALS:
            content = await host.read(f"{paths.PKI}/{name}")
            if content is None:
                raise HostError(host.name, f"{paths.PKI}/{name} is missing; `idcbench repair` makes it again")
            (folder / Path(name).name).write_bytes(content)
        context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        context.load_cert_chain(folder / "healthcheck-client.crt", folder / "healthcheck-client.key")
    try:
        listener = await host.connection.forward_local_port("127.0.0.1", 0, "127.0.0.1", ETCD_CLIENT_PORT)
    except (asyncssh.Error, OSError) as error:
        raise HostError(host.name, f"sshd does not forward to etcd ({error}); allow AllowTcpForwarding local") from None
    connector = aiohttp.TCPConnector(ssl=context)
    try:
        async with aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=LIMIT_S)
        ) as session:  # fmt: skip
            yield Etcd(host.name, session, f"https://127.0.0.1:{listener.get_port()}", host.connection)
    finally:
        listener.close()
