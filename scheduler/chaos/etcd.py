"""Who leads etcd, and handing the lead over: by etcd's own HTTP gateway."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import msgspec

from idcbench.errors import ClusterError
from idcbench.kube.access import Access

CLIENT_PORT, METRICS_PORT = 2379, 2381
LIMIT_S = 3.0
LEADS = b"\netcd_server_is_leader 1\n"


class _Member(msgspec.Struct, frozen=True):
    ID: str
    name: str = ""


class _Members(msgspec.Struct, frozen=True):
    members: tuple[_Member, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Etcd:
    """``addresses`` maps each member's name to where it is; ``tls`` shows a client certificate that etcd takes."""

    access: Access
    addresses: Mapping[str, str]
    tls: ssl.SSLContext

    async def leader(self) -> str | None:
        """The member that says that it leads; ``None`` while there is none."""
        for name, address in self.addresses.items():
            try:
                if LEADS in await self._call("GET", f"http://{address}:{METRICS_PORT}/metrics"):
                    return name
            except ClusterError:
                continue
        return None

    async def move(self, leader: str, to: str) -> None:
        """Have ``leader`` hand over. Raises :class:`ClusterError` when it does not."""
        url = f"https://{self.addresses[leader]}:{CLIENT_PORT}/v3"
        listed = msgspec.json.decode(await self._call("POST", f"{url}/cluster/member/list", b"{}"), type=_Members)
        (target,) = (member.ID for member in listed.members if member.name == to)
        body = msgspec.json.encode({"targetID": target})
        await self._call("POST", f"{url}/maintenance/transfer-leadership", body)

    async def _call(self, method: str, url: str, body: bytes | None = None) -> bytes:
        connector = aiohttp.TCPConnector(ssl=self.tls, socket_factory=self.access.socket_factory())
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=LIMIT_S)) as client,
                client.request(method, url, data=body) as answer,
            ):
                found = await answer.read()
                if answer.status != 200:
                    raise ClusterError(f"{method} {url}: {answer.status} {found[:300].decode(errors='replace')}")
                return found
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ClusterError(f"{method} {url}: no answer ({error or 'too late'})") from None
