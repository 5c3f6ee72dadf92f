"""List and watch of everything that the engine has to hear of."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from functools import partial
from typing import Any

from idcbench.kube.apierror import ApiError, is_transient
from idcbench.kube.known import EventType
from idcbench.kube.listing import Listing, list_all
from idcbench.kube.objects import Partial
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch

from ..objects import Pod
from .resources import SOURCES, Source
from .settings import FeedSettings

AT_ONCE_S = 0.005
"""After so long without a pause the loop is given to others."""
READY_LIMIT_S, READY_POLL_S = 60.0, 0.5

_log = logging.getLogger(__name__)
Hear = Callable[[Source, EventType, Any], None]


class Feed:
    """Tells ``hear`` of each change, in order for each object. Everything is told as ADDED before :meth:`fill` ends.

    Resources that a server does not have, and need not have, are passed over, which is logged once.
    """

    def __init__(self, api: ApiSession, settings: FeedSettings, hear: Hear) -> None:
        self._api = api
        self._settings = settings
        self._hear = hear
        self._listings: list[tuple[Source, Listing[Any]]] = []

    async def fill(self) -> None:
        """List everything and tell it. Raises ``ApiError`` when something that is needed cannot be read."""
        await self._until_ready()
        listings = await asyncio.gather(*(self._list(source) for source in SOURCES))
        for source, listing in zip(SOURCES, listings, strict=True):
            if listing is not None:
                self._listings.append((source, listing))
                await self._tell_all(source, listing)

    def follow(self) -> list[Coroutine[Any, Any, None]]:
        """One endless watch for each resource, to be run together after :meth:`fill`. They raise ``ApiError``."""
        listings, self._listings = self._listings, []
        return [
            self._watch(source, listing) if source.needed else self._watch_unneeded(source, listing)
            for source, listing in listings
        ]

    async def list_pods(self) -> Listing[Pod]:
        """All pods as they are now, not as some cache has them."""
        return await list_all(self._api, Pod, "/api/v1/pods", unreadable=partial(_passed_over, "/api/v1/pods"))

    async def _until_ready(self) -> None:
        """A server that is starting refuses what it will allow: that would be taken for resources it does not have."""
        ends_s = time.monotonic() + READY_LIMIT_S
        while True:
            try:
                await self._api.get("/readyz")
                return
            except ApiError as error:
                if not is_transient(error):
                    return  # it answers, and has no such path, or not for us
                if time.monotonic() > ends_s:
                    raise
                _log.warning("%s; waiting for it to be ready", error)
            await asyncio.sleep(READY_POLL_S)

    async def _list(self, source: Source) -> Listing[Any] | None:
        try:
            unreadable = partial(_passed_over, source.path)
            return await list_all(self._api, source.kind, source.path, unreadable=unreadable)
        except ApiError as error:
            if source.needed or error.status not in (403, 404):
                raise
            _log.info("%s: not served here (%d); going on without", source.path, error.status)
        return None

    async def _tell_all(self, source: Source, listing: Listing[Any]) -> None:
        began_s = time.monotonic()
        for obj in listing.items:
            self._hear(source, "ADDED", obj)
            if time.monotonic() - began_s > AT_ONCE_S:
                await asyncio.sleep(0)
                began_s = time.monotonic()

    async def _watch(self, source: Source, listing: Listing[Any]) -> None:
        settings, began_s, told_ns = self._settings, time.monotonic(), 0
        events = watch(
            self._api, source.kind, source.path, start=listing, idle_s=settings.idle_s, give_up_s=settings.give_up_s,
            unreadable=partial(_passed_over, source.path),
        )  # fmt: skip
        del listing
        async with aclosing(events):
            async for event in events:
                if event.received_ns != told_ns:  # another piece of the stream: the loop may have had its turn
                    told_ns = event.received_ns
                    if time.monotonic() - began_s > AT_ONCE_S:
                        await asyncio.sleep(0)
                        began_s = time.monotonic()
                self._hear(source, event.type, event.object)

    async def _watch_unneeded(self, source: Source, listing: Listing[Any]) -> None:
        """A custom resource may go away, or hold anything: nothing else ends with its watch."""
        try:
            await self._watch(source, listing)
        except ApiError as error:
            _log.error("%s: no longer watched (%s)", source.path, error)
            await asyncio.Event().wait()


def _passed_over(path: str, obj: Partial, why: str) -> None:
    """One object that nobody foresaw must not keep the others waiting."""
    name = "/".join(part for part in (obj.metadata.namespace, obj.metadata.name) if part) or "one without a name"
    _log.error("%s: %s cannot be read (%s); it counts as it was, or not at all", path, name, why)
