"""A watch that goes on: through silence, cuts, expired versions and servers that fail."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from functools import cache
from typing import Any, Generic

import msgspec

from .apierror import ApiError, Status, is_transient
from .backoff import Backoff
from .known import EventType, Known
from .lines import Lines
from .listing import MISFITS, Listing, Unreadable, list_all
from .objects import Partial, T
from .session import ApiSession

IDLE_S = 15.0
STREAM_S = 300
GIVE_UP_S = 120.0
BACKOFF_FIRST_S = 0.1
BACKOFF_MOST_S = 2.0
SHORT_LIFE_S = 1.0
"""A stream that ends sooner than this, without news, has failed."""

_log = logging.getLogger(__name__)


class WatchEvent(msgspec.Struct, Generic[T], frozen=True):
    """A change of an object. ``received_ns`` (CLOCK_MONOTONIC) is when it had arrived, before it was decoded.

    ``listed`` is true when the change was found by comparing a list with what was known: it happened some time before.
    """

    type: EventType
    object: T
    received_ns: int
    listed: bool = False


async def watch(
    api: ApiSession, kind: type[T], path: str, *, query: Mapping[str, str] | None = None,
    start: Listing[T] | None = None, idle_s: float = IDLE_S, stream_s: int = STREAM_S, give_up_s: float = GIVE_UP_S,
    unreadable: Unreadable | None = None,
) -> AsyncGenerator[WatchEvent[T], None]:  # fmt: skip
    """Yield each change of the collection at ``path``, for ever; ``query`` may hold selectors.

    Begins with ADDED for all that is there; or with what changed since ``start``, a list of the same collection.
    Every object's changes come in order, without gaps or repeats, except that several changes during an interruption
    may come as one. A stream that was silent for ``idle_s`` is dropped and resumed, on the session's next server if
    there are several; so is one that broke, with growing delays; at 410 the collection is listed, and the difference
    told. The server is asked to end each stream after ``stream_s``. API servers send bookmarks once a minute: with
    a shorter ``idle_s`` a quiet stream is merely reconnected.

    The stream is read ahead however slow the caller is, so that ``received_ns`` stays true. Raises :class:`ApiError`
    when the very first call is refused, or nothing could be reached for ``give_up_s``; ``msgspec.ValidationError``
    when an object does not fit ``kind``, unless ``unreadable`` is there to be told: then that object stays as it was
    known, or unknown, until it fits again or is deleted. To leave earlier use
    ``async with contextlib.aclosing(watch(…))``.
    """
    known: Known[T] = Known()
    asked = dict(query or {})
    for _ in known.relist(start) if start else ():
        pass
    patience = _Patience(api, give_up_s=give_up_s)
    while True:
        server, version = api.server, known.version
        try:
            if not known.version:
                listing = await list_all(api, kind, path, query=asked, unreadable=unreadable)
                patience.reached()
                for change, obj in known.relist(listing):
                    yield WatchEvent(change, obj, listing.received_ns, listed=True)
            server = api.server
            stream = _stream_query(asked, known.version, stream_s)
            async with aclosing(_pieces(api, path, stream, idle_s)) as pieces:
                lines = Lines()
                async for received_ns, piece in pieces:
                    patience.reached()
                    for line in lines.feed(piece):
                        told = _decode(kind, line, path, unreadable)
                        if isinstance(told, _Misfit):
                            for change, obj in known.misfit(told.type, told.object):
                                yield WatchEvent(change, obj, received_ns)
                            continue
                        if isinstance(told, str):
                            known.bookmark(told)
                            continue
                        for change, obj in known.apply(*told):
                            yield WatchEvent(change, obj, received_ns)
            patience.ended(path, news=known.version != version)
        except ApiError as error:
            if error.status == 410:
                known.expire()
            await patience.failed(error, server, news=known.version not in ("", version))


class _Patience:
    """Decides whether a watch goes on after a failure, and when."""

    def __init__(self, api: ApiSession, *, give_up_s: float) -> None:
        self._api = api
        self._give_up_s = give_up_s
        self._backoff = Backoff(first_s=BACKOFF_FIRST_S, most_s=BACKOFF_MOST_S)
        self._ever_reached = False
        self._reached_s: float | None = None
        self._failing_since_s: float | None = None

    def reached(self) -> None:
        """A server answered."""
        self._ever_reached = True
        self._failing_since_s = None
        if self._reached_s is None:
            self._reached_s = time.monotonic()

    def ended(self, path: str, *, news: bool) -> None:
        """The stream ended as it should; but one that always ends at once must not be asked without pause."""
        if not news and self._lived_s() < SHORT_LIFE_S:
            raise ApiError(0, "Ended", "the stream ended at once, without news", path)
        self._backoff.reset()
        self._reached_s = None

    async def failed(self, error: ApiError, server: str, *, news: bool) -> None:
        """Wait before the next try. Raises ``error`` when there is to be none."""
        if not self._ever_reached and error.status != 410 and not is_transient(error):
            raise error
        now_s = time.monotonic()
        if news or self._lived_s() >= SHORT_LIFE_S:
            self._backoff.reset()
        self._reached_s = None
        self._failing_since_s = self._failing_since_s or now_s
        if now_s - self._failing_since_s >= self._give_up_s:
            raise error
        expired_once = error.status == 410 and not self._backoff.tries
        delay_s = self._api.after_failure(error, server, self._backoff)
        if expired_once:
            delay_s = 0.0
        _log.warning("watch: %s; going on in %.1f s", error, delay_s)
        await asyncio.sleep(delay_s)

    def _lived_s(self) -> float:
        return 0.0 if self._reached_s is None else time.monotonic() - self._reached_s


def _stream_query(query: dict[str, str], version: str, stream_s: int) -> dict[str, str]:
    asked = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(stream_s)}
    return query | asked | {"resourceVersion": version}


async def _pieces(
    api: ApiSession, path: str, query: Mapping[str, str], idle_s: float
) -> AsyncGenerator[tuple[int, bytes], None]:
    """A stream's pieces as they come, each with its time; an empty one first, when the server has answered.

    A task reads ahead, so that a slow caller delays no time stamp. Raises :class:`ApiError`.
    """
    pieces: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()

    async def read() -> None:
        try:
            async with api.stream(path, query=query, idle_s=idle_s) as stream:
                pieces.put_nowait((time.monotonic_ns(), b""))
                while piece := await stream.readany():
                    pieces.put_nowait((time.monotonic_ns(), piece))
        finally:
            pieces.put_nowait(None)

    reading = asyncio.create_task(read())
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        await reading
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        if not reading.cancelled():
            reading.exception()  # looked at, so that asyncio does not call it forgotten


class _Frame(msgspec.Struct, Generic[T], frozen=True):
    type: str
    object: T


class _ErrorFrame(msgspec.Struct, frozen=True):
    object: Status


class _Typed(msgspec.Struct, frozen=True):
    type: str = ""


class _Misfit(msgspec.Struct, frozen=True):
    """A change of an object that does not fit its type."""

    type: str = ""
    object: Partial = Partial()


_partial = msgspec.json.Decoder(_Frame[Partial])
_error = msgspec.json.Decoder(_ErrorFrame)
_misfitting = msgspec.json.Decoder(_Misfit)
_typed = msgspec.json.Decoder(_Typed)


@cache
def _decoder(kind: type[T]) -> msgspec.json.Decoder[_Frame[T]]:
    frame: Any = _Frame
    return msgspec.json.Decoder(frame[kind])


def _decode(kind: type[T], line: bytes, path: str, unreadable: Unreadable | None) -> tuple[str, T] | str | _Misfit:
    """A line as type and object; a bookmark as its version alone.

    Raises :class:`ApiError` for an ERROR and for a line that is no JSON.
    """
    try:
        frame = _decoder(kind).decode(line)
        if frame.type not in ("BOOKMARK", "ERROR"):
            return frame.type, frame.object
    except msgspec.ValidationError as error:  # a bookmark or a Status need not look like the kind
        told = _misfit(line)
        if told.type not in ("BOOKMARK", "ERROR"):
            if unreadable is None:
                raise
            unreadable(told.object, str(error))
            return told
    except MISFITS as error:
        raise _garbled(line, error, path) from None
    try:
        told_of = _partial.decode(line)
        if told_of.type == "BOOKMARK":
            return told_of.object.metadata.resource_version
        status = _error.decode(line).object
    except MISFITS as error:
        raise _garbled(line, error, path) from None
    raise ApiError(status.code, status.reason, status.message, path)


def _misfit(line: bytes) -> _Misfit:
    """As much of a change as can be read."""
    for decoder in (_misfitting, _typed):
        with suppress(*MISFITS):
            found = decoder.decode(line)
            return found if isinstance(found, _Misfit) else _Misfit(found.type)
    return _Misfit()


def _garbled(line: bytes, error: Exception, path: str) -> ApiError:
    begin = line[:100].decode(errors="replace")
    return ApiError(0, "Garbled", f"a line of the stream is no change ({error}): {begin}", path)
