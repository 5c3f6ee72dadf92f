"""The probe's own corner of the cluster: its namespace, what it writes there, and reading all of it back."""

from __future__ import annotations

import asyncio
import ssl
import time
from urllib.parse import quote

import msgspec

from ..kube.connection import Connection, Endpoint
from .plan import Planned
from .sockets import SocketStore

TARGET = "target"
"""The ConfigMap that reads ask for."""
PAGE = 500
PAUSE_S = 0.1
LABEL = "idcbench.io/probe"


class _Metadata(msgspec.Struct):
    name: str = ""
    resourceVersion: str = ""  # noqa: N815 - Kubernetes' name
    continue_: str = msgspec.field(default="", name="continue")


class _Item(msgspec.Struct):
    metadata: _Metadata


class _List(msgspec.Struct):
    metadata: _Metadata
    items: list[_Item]


def written_name(number: int) -> str:
    """The name of what request ``number`` writes."""
    return f"w{number:08d}"


class Corner:
    """A namespace that one probe makes, fills and removes."""

    def __init__(self, endpoint: Endpoint, sockets: SocketStore, *, name: str, headers: dict[str, str]) -> None:
        self.name = name
        self.path = f"/api/v1/namespaces/{name}/configmaps"
        self._endpoint = endpoint
        self._sockets = sockets
        self._headers = headers
        self._read = endpoint.request("GET", f"{self.path}/{TARGET}", headers=headers)

    def compose(self, planned: Planned) -> bytes:
        """The bytes of a planned request: a read of the target, or the creation of a ConfigMap of its own."""
        if planned.stream.kind == "read":
            return self._read
        body = b'{"metadata":{"name":"%s"},"data":{"planned_ns":"%d"}}' % (
            written_name(planned.number).encode(),
            planned.planned_ns,
        )
        return self._endpoint.request("POST", self.path, headers=self._headers, body=body)

    async def make(self, *, timeout_s: float) -> None:
        """Make the namespace and the target. Raises ``TimeoutError`` or ``ConnectionError`` with the last refusal."""
        namespace = {"metadata": {"name": self.name, "labels": {LABEL: "true"}}}
        await self._insist("POST", "/api/v1/namespaces", timeout_s=timeout_s, body=msgspec.json.encode(namespace))
        await self._insist("POST", self.path, timeout_s=timeout_s, body=b'{"metadata":{"name":"%s"}}' % TARGET.encode())

    async def names(self, *, timeout_s: float) -> set[str]:
        """All names there now, by a list that goes to etcd (no resourceVersion); raises as :meth:`make`."""
        names: set[str] = set()
        more = ""
        while True:
            query = f"?limit={PAGE}" + (f"&continue={quote(more)}" if more else "")
            page = msgspec.json.decode(await self._insist("GET", self.path + query, timeout_s=timeout_s), type=_List)
            names |= {item.metadata.name for item in page.items}
            more = page.metadata.continue_
            if not more:
                return names

    async def version(self, *, timeout_s: float) -> str:
        """The version of the collection now, from which a watch can begin; raises as :meth:`make`."""
        answer = await self._insist("GET", f"{self.path}?limit=1", timeout_s=timeout_s)
        return msgspec.json.decode(answer, type=_List).metadata.resourceVersion

    async def remove(self, *, timeout_s: float) -> None:
        """Have the namespace deleted, with everything in it, by the cluster itself; raises as :meth:`make`."""
        await self._insist("DELETE", f"/api/v1/namespaces/{self.name}", timeout_s=timeout_s)

    async def _insist(self, method: str, path: str, *, timeout_s: float, body: bytes = b"") -> bytes:
        """Ask until it is done: a cluster that is being broken refuses now and then. Done before also counts."""
        request = self._endpoint.request(method, path, headers=self._headers, body=body)
        done = {"POST": (409,), "DELETE": (404, 409)}.get(method, ())
        until = time.monotonic() + timeout_s
        while True:
            try:
                async with asyncio.timeout(min(5.0, timeout_s)):
                    connection = await Connection.open(self._endpoint, self._sockets.take())
                    response = await connection.exchange(request)
                connection.abort()
                if 200 <= response.status < 300 or response.status in done:
                    return response.body
                refusal = f"HTTP {response.status}: {response.body[:200].decode(errors='replace')}"
            except (OSError, ssl.SSLError, ValueError, TimeoutError) as error:
                refusal = f"{type(error).__name__}: {error}"
            if time.monotonic() > until:
                raise ConnectionError(f"{method} {path}: not within {timeout_s:.0f} s; the last answer was {refusal}")
            await asyncio.sleep(PAUSE_S)
