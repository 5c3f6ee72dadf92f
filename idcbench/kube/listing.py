"""Everything of a kind at one version: a list read page by page."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic

import msgspec

from .apierror import ApiError
from .objects import T
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


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct, Generic[T], frozen=True):
    metadata: ListMeta = ListMeta()
    items: tuple[T, ...] | None = None


@cache
def _page_decoder(kind: type[T]) -> msgspec.json.Decoder[Page[T]]:
    page: Any = Page
    return msgspec.json.Decoder(page[kind])


async def list_all(
    api: ApiSession, kind: type[T], path: str, *, query: Mapping[str, str] | None = None, page_size: int = PAGE_SIZE,
    timeout_s: float = 30.0,
) -> Listing[T]:  # fmt: skip
    """Read the collection at ``path``, decoded as ``kind``; ``query`` may hold selectors.

    Consistent: the items are those at ``resource_version``. ``timeout_s`` bounds each page. Pages that expire while
    the list is read (410) begin it anew. Raises :class:`ApiError`; ``msgspec.ValidationError`` when an object does
    not fit ``kind``.
    """
    for left in reversed(range(EXPIRED_TRIES)):
        try:
            return await _pages(api, kind, path, dict(query or {}), page_size if left else 0, timeout_s)
        except ApiError as error:
            if error.status != 410 or not left:
                raise
            _log.warning("%s; listing from the start", error)
    raise AssertionError


async def _pages(
    api: ApiSession, kind: type[T], path: str, query: dict[str, str], page_size: int, timeout_s: float
) -> Listing[T]:
    decoder = _page_decoder(kind)
    items: list[T] = []
    if page_size:
        query["limit"] = str(page_size)
    while True:
        body = await api.get(path, query=query, timeout_s=timeout_s)
        received_ns = time.monotonic_ns()
        page = decoder.decode(body)
        items += page.items or ()
        if not page.metadata.continue_:
            return Listing(items=tuple(items), resource_version=page.metadata.resource_version, received_ns=received_ns)
        query["continue"] = page.metadata.continue_
