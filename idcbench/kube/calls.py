"""Single requests in a synchronous caller, and the paths that they go to."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from .apierror import ApiError
from .backoff import Backoff
from .discovery import AGGREGATED, Resource, find_resource, read_discovery
from .official import Transport
from .waiting import wait_until

READ_TRIES = 4
DISCOVERY_SETTLES_S = 5.0
"""A kind that was just defined may take this long to be discovered; an unknown one is looked for as long."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as plain values."""
        return json.loads(self.body)

    def lines(self) -> list[Any]:
        """The values of a stream, one a line, as a watch with ``timeoutSeconds`` gives them."""
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]


class Calls:
    """Requests as one user: ``headers`` go with each of them. Safe to use from several threads."""

    def __init__(self, configuration: Any, *, timeout_s: float, headers: Mapping[str, str]) -> None:
        self.configuration = configuration
        self.timeout_s = timeout_s
        self._headers = {"Accept": "application/json"} | dict(headers)
        self._transport = Transport(configuration)
        self._resources: list[Resource] = []

    def close(self) -> None:
        self._transport.close()

    def raw(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None, content_type: str = "", timeout_s: float | None = None,
    ) -> Answer:  # fmt: skip
        """Send one request and read the whole answer.

        ``body`` is sent as JSON; a string goes as it is, by default as YAML (of which JSON is a part). For a watch
        give ``timeoutSeconds`` in the query, or use :meth:`events`. A GET that met 429 or no answer is tried again a
        few times, logged; anything else is sent once. Raises :class:`ApiError`.
        """
        backoff = Backoff(first_s=0.2)
        while True:
            try:
                with self._open(method, path, body, query, headers, content_type, timeout_s) as response:
                    return Answer(status=response.status, headers=dict(response.headers), body=response.data)
            except ApiError as error:
                if method != "GET" or error.status not in (0, 429) or backoff.tries + 1 >= READ_TRIES:
                    raise
                delay_s = backoff.next_s(error.retry_after_s)
                _log.warning("%s; trying again in %.1f s", error, delay_s)
                time.sleep(delay_s)

    def events(
        self, path: str, *, query: Mapping[str, str] | None = None, timeout_s: float | None = None
    ) -> Generator[dict[str, Any], None, None]:
        """Watch ``path`` once: each event as it comes, ``{"type": …, "object": …}``, bookmarks and errors too.

        Ends when the server ends the stream. Raises :class:`ApiError` with status 0 when nothing came for
        ``timeout_s``, or no JSON. Close the generator to leave earlier.
        """
        with self._open("GET", path, None, {"watch": "true"} | dict(query or {}), None, "", timeout_s) as response:
            half = b""
            for chunk in response.stream():
                *lines, half = (half + chunk).split(b"\n")
                yield from (_value(line, path) for line in lines if line)

    def _open(
        self, method: str, path: str, body: Any, query: Mapping[str, str] | None, headers: Mapping[str, str] | None,
        content_type: str, timeout_s: float | None,
    ) -> AbstractContextManager[Any]:  # fmt: skip
        default_type = "application/yaml" if isinstance(body, str) else "application/json"
        return self._transport.open(
            method, path, query=query or {}, headers=self._headers | dict(headers or {}), body=body,
            content_type=content_type or default_type, timeout_s=self.timeout_s if timeout_s is None else timeout_s,
        )  # fmt: skip

    def resource(self, kind: str, api_version: str = "") -> Resource:
        """How the server serves a kind. One that is not known yet is looked for again for five seconds.

        Raises :class:`ApiError` 404 when the server has no such kind.
        """

        def look() -> tuple[Resource | None, str]:
            self._resources = self._discover()
            return find_resource(self._resources, kind, api_version), "other kinds"

        if found := find_resource(self._resources, kind, api_version):
            return found
        wanted = f"{kind} in {api_version}" if api_version else kind
        try:
            return wait_until(wanted, look, timeout_s=DISCOVERY_SETTLES_S)
        except TimeoutError:
            raise ApiError(404, "NotFound", f"the server has no kind {wanted}; is its CRD there?", "/apis") from None

    def _discover(self) -> list[Resource]:
        bodies = [self.raw("GET", path, headers={"Accept": AGGREGATED}).body for path in ("/api", "/apis")]
        return [resource for body in bodies for resource in read_discovery(body)]


def _value(line: bytes, path: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ApiError(0, "Garbled", f"a line of the stream is no JSON ({error})", path) from None
