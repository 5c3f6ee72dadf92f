"""The ways in which a client can get all objects of a collection, each as it would be used, and none decoded."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from idcbench.kube.access import Access
from idcbench.kube.connection import Endpoint
from idcbench.measure.load import connect

PAGE = 500
LIMIT_S = 300.0
_CONTINUE = re.compile(rb'"continue":"([^"]+)"')
_HEAD_BYTES = 4096
"""A list's metadata come first, before its items."""
_INITIAL = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
_INITIAL_END = b'"k8s.io/initial-events-end":"true"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One list: from its first request to its last byte; ``pieces`` are the bodies as they came."""

    started_ns: int
    ended_ns: int
    pieces: list[bytes] = field(repr=False)

    @property
    def latency_ms(self) -> float:
        return (self.ended_ns - self.started_ns) / 1e6

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.pieces))

    def count(self, mark: bytes) -> int:
        """How often a mark is in it, that each object has once."""
        return b"".join(self.pieces).count(mark)


class Lister:
    """Lists one collection, each time over a connection that was opened before.

    Its lists raise ``ConnectionError`` for an answer other than 200, and ``TimeoutError`` after :data:`LIMIT_S`.
    """

    def __init__(self, access: Access, path: str) -> None:
        self._access = access
        self._path = path
        self._endpoint = Endpoint.of(access.server, access)

    async def paged(self) -> Listed:
        """Page by page, as clients of the official libraries do."""
        async with _Asking(self._access, self._endpoint) as asking:
            token = ""
            while True:
                body = await asking.whole(f"{self._path}?limit={PAGE}{f'&continue={token}' if token else ''}")
                found = _CONTINUE.search(body, 0, _HEAD_BYTES)
                if found is None:
                    return asking.listed()
                token = found[1].decode()

    async def newest(self) -> Listed:
        """In one answer, as new as etcd: read there, or from a cache that was confirmed to be as new."""
        async with _Asking(self._access, self._endpoint) as asking:
            await asking.whole(self._path)
            return asking.listed()

    async def cached(self) -> Listed:
        """In one answer, as the API server's cache has it."""
        async with _Asking(self._access, self._endpoint) as asking:
            await asking.whole(f"{self._path}?resourceVersion=0")
            return asking.listed()

    async def streamed(self) -> Listed:
        """As the first events of a watch, until the bookmark that ends them."""
        async with _Asking(self._access, self._endpoint) as asking:
            await asking.until(_INITIAL_END, f"{self._path}?watch=1&{_INITIAL}")
            return asking.listed()


MODES: dict[str, Callable[[Lister], Coroutine[Any, Any, Listed]]] = {
    "paged": Lister.paged, "newest": Lister.newest, "cached": Lister.cached, "streamed": Lister.streamed,
}  # fmt: skip


class _Asking:
    """One connection, and what came over it since it was opened."""

    def __init__(self, access: Access, endpoint: Endpoint) -> None:
        self._access = access
        self._endpoint = endpoint
        self._pieces: list[bytes] = []

    async def __aenter__(self) -> _Asking:
        self._connection = await connect(self._endpoint, self._access)
        self._started_ns = self._ended_ns = time.monotonic_ns()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._connection.abort()

    async def whole(self, path: str) -> bytes:
        response = await self._connection.exchange(self._request(path))
        if response.status != 200:
            raise ConnectionError(f"GET {path}: {response.status}: {response.body[:300].decode(errors='replace')}")
        self._ended_ns = response.completed_ns
        self._pieces.append(response.body)
        return response.body

    async def until(self, mark: bytes, path: str) -> None:
        """Read until ``mark`` has come, then break off; it may be cut in two."""

        def heard(piece: bytes) -> None:
            self._pieces.append(piece)
            if mark in b"".join(self._pieces[-2:])[-len(piece) - len(mark) :]:
                self._ended_ns = time.monotonic_ns()
                self._connection.abort()

        try:
            response = await self._connection.exchange(self._request(path), on_body=heard)
        except ConnectionError:
            if self._ended_ns == self._started_ns:
                raise
            return
        raise ConnectionError(f"GET {path}: ended with {response.status} before the bookmark: {self._pieces[-1:]!r}")

    def listed(self) -> Listed:
        return Listed(started_ns=self._started_ns, ended_ns=self._ended_ns, pieces=self._pieces)

    def _request(self, path: str) -> bytes:
        return self._endpoint.request("GET", path, headers=self._access.headers())
