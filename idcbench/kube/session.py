"""An asynchronous session with the API: one call, one time limit, over one endpoint or several."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec

from .access import Access
from .apierror import SILENT, ApiError, is_transient, refusal, unreachable, untrusted
from .backoff import Backoff

S = TypeVar("S")

_log = logging.getLogger(__name__)


class ApiSession:
    """Calls to the API server, to be used in ``async with``.

    ``server`` is one URL (``access.members`` names the single API servers) or several, by default ``access.server``.
    Calls go to one of them; a read that got no answer goes on with the next. Only reads are ever repeated, at most
    ``read_retries`` times, after 429, 5xx or no answer, each repetition logged; 0 shows every failure as it is.

    Every call raises :class:`ApiError` when it is refused or not answered within ``timeout_s``.
    """

    def __init__(
        self, access: Access, *, server: str | Sequence[str] | None = None, timeout_s: float = 10.0,
        read_retries: int = 3, backoff_most_s: float = 5.0,
    ) -> None:  # fmt: skip
        given = access.server if server is None else server
        self.servers = (given,) if isinstance(given, str) else tuple(given)
        if not self.servers:
            raise ValueError("an API session needs at least one server")
        self._access = access
        self._timeout_s = timeout_s
        self._read_retries = read_retries
        self._backoff_most_s = backoff_most_s
        self._at = 0
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            ssl=self._access.ssl_context() if any(url.startswith("https:") for url in self.servers) else True,
            socket_factory=self._access.socket_factory(),
            limit=0,
        )
        self._http = aiohttp.ClientSession(connector=connector, headers={"Accept": "application/json"})
        # When a kept connection breaks, aiohttp would send GET, PUT and DELETE once more, unseen. There is no public
        # way to say no; aiohttp's own test client sets this too.
        self._http._retry_connection = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    @property
    def server(self) -> str:
        """The server that the next call goes to."""
        return self.servers[self._at]

    def move_on(self, server: str) -> None:
        """Go on with the next server, unless somebody who shares this session has already left ``server``."""
        if self.server == server and len(self.servers) > 1:
            self._at = (self._at + 1) % len(self.servers)
            _log.info("going on from %s with %s", server, self.server)

    async def get(self, path: str, *, query: Mapping[str, str] | None = None, timeout_s: float | None = None) -> bytes:
        """Read; repeated as the class says."""
        backoff = Backoff(most_s=self._backoff_most_s)
        while True:
            server = self.server
            try:
                return await self._send("GET", path, query=query, timeout_s=timeout_s)
            except ApiError as error:
                if not is_transient(error) or backoff.tries >= self._read_retries:
                    raise
                delay_s = self.after_failure(error, server, backoff)
                _log.warning("%s; trying again in %.1f s", error, delay_s)
                await asyncio.sleep(delay_s)

    async def read(
        self, kind: type[S], path: str, *, query: Mapping[str, str] | None = None, timeout_s: float | None = None
    ) -> S:
        """:meth:`get`, decoded. Raises ``msgspec.DecodeError`` when the answer is something else."""
        return msgspec.json.decode(await self.get(path, query=query, timeout_s=timeout_s), type=kind)

    async def post(
        self, path: str, body: Any, *, query: Mapping[str, str] | None = None, timeout_s: float | None = None
    ) -> bytes:
        """Create; sent once."""
        return await self._send("POST", path, body=body, query=query, timeout_s=timeout_s)

    async def put(
        self, path: str, body: Any, *, query: Mapping[str, str] | None = None, timeout_s: float | None = None
    ) -> bytes:
        """Replace; sent once."""
        return await self._send("PUT", path, body=body, query=query, timeout_s=timeout_s)

    async def patch(
        self, path: str, body: Any, *, content_type: str = "application/merge-patch+json",
        query: Mapping[str, str] | None = None, timeout_s: float | None = None,
    ) -> bytes:  # fmt: skip
        """Patch; sent once."""
        return await self._send("PATCH", path, body=body, query=query, timeout_s=timeout_s, content_type=content_type)

    async def delete(
        self, path: str, body: Any = None, *, query: Mapping[str, str] | None = None, timeout_s: float | None = None
    ) -> bytes:
        """Delete, with ``DeleteOptions`` as body if any; sent once."""
        return await self._send("DELETE", path, body=body, query=query, timeout_s=timeout_s)

    @asynccontextmanager
    async def stream(
        self, path: str, *, query: Mapping[str, str], idle_s: float
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """A GET whose answer is read as it comes, for as long as it takes.

        Raises :class:`ApiError`, also out of the body of the ``async with``: with reason ``Silent`` when nothing came
        for ``idle_s``, else ``Unreachable``.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout_s, sock_read=idle_s)
        async with self._answer("GET", path, query=query, timeout=timeout) as response:
            yield response.content

    def after_failure(self, error: ApiError, server: str, backoff: Backoff) -> float:
        """Move on from a server that failed, and say how long to wait: not at all while another has yet to be tried."""
        untried = backoff.tries + 1 < len(self.servers)
        self.move_on(server)
        own_s = backoff.next_s(error.retry_after_s)
        return 0.0 if untried and error.retry_after_s is None else own_s

    async def _send(
        self, method: str, path: str, *, query: Mapping[str, str] | None, timeout_s: float | None, body: Any = None,
        content_type: str = "application/json",
    ) -> bytes:  # fmt: skip
        timeout = aiohttp.ClientTimeout(total=self._timeout_s if timeout_s is None else timeout_s)
        data = body if body is None or isinstance(body, bytes) else msgspec.json.encode(body)
        async with self._answer(method, path, query=query, timeout=timeout, data=data, type=content_type) as response:
            return await response.read()

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, *, query: Mapping[str, str] | None, timeout: aiohttp.ClientTimeout,
        data: bytes | None = None, type: str = "application/json",
    ) -> AsyncIterator[aiohttp.ClientResponse]:  # fmt: skip
        """A successful answer, whose body may still be on its way; every failure becomes an :class:`ApiError`."""
        if self._http is None:
            raise RuntimeError("an ApiSession is used within `async with`")
        server = self.server
        headers = self._access.headers() | ({"Content-Type": type} if data is not None else {})
        try:
            async with self._http.request(
                method, server + path, params=query, data=data, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                if response.status >= 300:
                    raise refusal(
                        response.status, await response.read(), path=path, method=method,
                        phrase=response.reason or "", retry_after=response.headers.get("Retry-After"),
                    )  # fmt: skip
                yield response
        except aiohttp.SocketTimeoutError:
            raise unreachable(server, "silent for too long", path=path, method=method, reason=SILENT) from None
        except TimeoutError:
            raise unreachable(server, "not within the time limit", path=path, method=method) from None
        except aiohttp.ClientPayloadError:
            raise unreachable(server, "the answer broke off", path=path, method=method) from None
        except aiohttp.ClientSSLError as error:
            raise untrusted(server, _of_tls(error), path=path, method=method) from error
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(server, f"{error or 'connection cut'}", path=path, method=method) from error


def _of_tls(error: aiohttp.ClientSSLError) -> Exception:
    """What TLS itself said, as far as aiohttp tells."""
    return error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error.os_error
