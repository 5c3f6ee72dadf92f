"""Everything of a kind at one version: a list read page by page."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic

import msgspec

from .apierror import ApiError
from .objects import Partial, T
from .session import ApiSession

PAGE_SIZE = 500
EXPIRED_TRIES = 3
"""A list whose pages expired while it was read is begun anew so often, the last time as one page."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[T]):
    """A list: its objects, the version it holds at, and when (CLOCK_MONOTONIC) its last page had arrived."""

    items: tuple[T, ...]
    resource_version: str
    received_ns: int
    misfits: tuple[Partial, ...] = ()
    """Who is there too, but does not fit its type."""


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct, Generic[T], frozen=True):
    metadata: ListMeta = ListMeta()
    items: tuple[T, ...] | None = None


class _RawPage(msgspec.Struct, frozen=True):
    metadata: ListMeta = ListMeta()
    items: tuple[msgspec.Raw, ...] | None = None


MISFITS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: no JSON or not of the type, no UTF-8, nested too deep."""
Unreadable = Callable[[Partial, str], None]
"""Called with an object that does not fit its type, as far as it could be read, and with what is wrong with it."""


@cache
def _page_decoder(kind: type[T]) -> msgspec.json.Decoder[Page[T]]:
    page: Any = Page
    return msgspec.json.Decoder(page[kind])


async def list_all(
    api: ApiSession, kind: type[T], path: str, *, query: Mapping[str, str] | None = None, page_size: int = PAGE_SIZE,
    timeout_s: float = 30.0, unreadable: Unreadable | None = None,
) -> Listing[T]:  # fmt: skip
    """Read the collection at ``path``, decoded as ``kind``; ``query`` may hold selectors.

    Consistent: the items are those at ``resource_version``. ``timeout_s`` bounds each page. Pages that expire while
    the list is read (410) begin it anew. Raises :class:`ApiError`; ``msgspec.ValidationError`` when an object does
    not fit ``kind``, unless ``unreadable`` is there to be told: then that object is left out.
    """
    for left in reversed(range(EXPIRED_TRIES)):
        try:
            return await _pages(api, kind, path, dict(query or {}), page_size if left else 0, timeout_s, unreadable)
        except ApiError as error:
            if error.status != 410 or not left:
                raise
            _log.warning("%s; listing from the start", error)
    raise AssertionError


async def _pages(
    api: ApiSession, kind: type[T], path: str, query: dict[str, str], page_size: int, timeout_s: float,
    unreadable: Unreadable | None,
) -> Listing[T]:  # fmt: skip
    items: list[T] = []
    misfits: list[Partial] = []
    if page_size:
        query["limit"] = str(page_size)
    while True:
        body = await api.get(path, query=query, timeout_s=timeout_s)
        received_ns = time.monotonic_ns()
        page = _page(kind, body, path, unreadable, misfits)
        items += page.items or ()
        if not page.metadata.continue_:
            return Listing(
                items=tuple(items), resource_version=page.metadata.resource_version, received_ns=received_ns,
                misfits=tuple(misfits),
            )  # fmt: skip
        query["continue"] = page.metadata.continue_


def _page(kind: type[T], body: bytes, path: str, unreadable: Unreadable | None, misfits: list[Partial]) -> Page[T]:
    """A page of a list; who does not fit is told and added to ``misfits``. Raises as :func:`list_all` does."""
    try:
        return _page_decoder(kind).decode(body)
    except MISFITS as error:
        if unreadable is None and isinstance(error, msgspec.ValidationError):
            raise
        if unreadable is None:
            raise ApiError(0, "Garbled", f"the list is no JSON ({error})", path) from None
    try:
        raw = _raw_page.decode(body)
    except MISFITS as error:
        raise ApiError(0, "Garbled", f"this is no list ({error})", path) from None
    items: list[T] = []
    for each in raw.items or ():
        try:
            items.append(_item_decoder(kind).decode(each))
        except MISFITS as error:
            misfits.append(partial_of(bytes(each)))
            unreadable(misfits[-1], str(error))
    return Page(metadata=raw.metadata, items=tuple(items))


def partial_of(item: bytes) -> Partial:
    """Who an object is, as far as that can be read; an empty one when it cannot."""
    try:
        return _partial.decode(item)
    except MISFITS:
        return Partial()


@cache
def _item_decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind)


_raw_page = msgspec.json.Decoder(_RawPage)
_partial = msgspec.json.Decoder(Partial)
