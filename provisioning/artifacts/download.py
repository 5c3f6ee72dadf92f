"""One file over HTTP: resumed where it was cut, given up when it is too slow, kept only with the right digest."""

from __future__ import annotations

import base64
import contextlib
import http.client
import logging
import queue
import re
import shutil
import socket
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit, urlunsplit

from ...progress import Progress
from .failure import WayFailedError, no_space
from .manifest import sha256
from .options import Patience

_CHUNK_BYTES = 256 * 1024
_SMALL_BYTES = 4 * 1024 * 1024
_AGAIN = "type the command again: it goes on where it was"
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_TROUBLE = (OSError, http.client.HTTPException)
"""What a connection may end with: refused, unresolved, reset, timed out, cut, not HTTP, a certificate that is wrong."""
_log = logging.getLogger(__name__)


class _AgainError(Exception):
    """The transfer was cut or the server was busy: worth another try from where it was."""


def fetch_text(url: str, *, patience: Patience) -> str:
    """A small text. Raises :class:`~.failure.WayFailedError` within ``patience.reach_s``, whatever the network does.

    Resolving a name has no time limit of its own and may hang for minutes where there is no network; so the request
    runs in a thread that is left behind when it is late.
    """
    answer: queue.Queue[str | WayFailedError] = queue.Queue(1)

    def ask() -> None:
        try:
            with _open(url, {}, timeout_s=patience.reach_s) as response:
                answer.put(response.read(_SMALL_BYTES).decode(errors="replace"))
        except _TROUBLE as error:
            answer.put(_closed(url, error))

    threading.Thread(target=ask, daemon=True, name="fetch_text").start()
    try:
        said = answer.get(timeout=patience.reach_s)
    except queue.Empty:
        raise WayFailedError(f"{shown(url)}: no answer within {patience.reach_s:g} s") from None
    if isinstance(said, WayFailedError):
        raise said
    return said


def fetch_file(url: str, path: Path, *, digest: str, what: str, progress: Progress, patience: Patience) -> None:
    """Put the file behind ``url`` at ``path``, by one rename, when its sha256 is ``digest``.

    What an earlier try or an earlier process left in ``path.part`` is gone on from. Raises WayFailedError when the
    server does not have it, stays too slow, keeps cutting, or gives something else; ArtifactError on a full disk.
    """
    if path.exists() and sha256(path) == digest:
        return
    part = path.with_name(f"{path.name}.part")
    if part.exists() and sha256(part) == digest:
        part.replace(path)
        return
    resumed = _transfer(url, part, what=what, progress=progress, patience=patience)
    found = sha256(part)
    if found != digest and resumed:  # the beginning may be of another file: once more, from nothing
        part.unlink()
        _transfer(url, part, what=what, progress=progress, patience=patience)
        found = sha256(part)
    if found != digest:
        part.unlink()
        raise WayFailedError(
            f"{shown(url)}: wrong digest: its sha256 is {found}, should be {digest}",
            remedy="the file on the server is damaged or was exchanged: try another --mirror",
        )
    part.replace(path)


def shown(url: str) -> str:
    """The URL without user and password."""
    return urlunsplit(urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]))


def _transfer(url: str, part: Path, *, what: str, progress: Progress, patience: Patience) -> bool:
    """Fill ``part`` to the file's full length; returns whether it held something before."""
    resumed = part.exists() and part.stat().st_size > 0
    tries = 0
    while True:
        tries += 1
        try:
            _receive(url, part, what=what, progress=progress, patience=patience)
            return resumed
        except _AgainError as cut:
            if tries > patience.retries:
                raise WayFailedError(f"{shown(url)}: {cut}; {tries} tries", remedy=_AGAIN) from cut
            _log.info("%s: %s; try %d of %d", shown(url), cut, tries + 1, patience.retries + 1)
            time.sleep(patience.pause_s * 2 ** (tries - 1))  # a server that is busy needs a pause, not a faster client
            resumed = True


def _receive(url: str, part: Path, *, what: str, progress: Progress, patience: Patience) -> None:
    """One request for what is missing. Raises _AgainError when another may bring more."""
    have = part.stat().st_size if part.exists() else 0
    try:
        response = _open(url, {"Range": f"bytes={have}-"} if have else {}, timeout_s=patience.stall_s)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            part.unlink()
            raise _AgainError("the part that is here does not fit the file there") from error
        if error.code in (408, 429, 500, 502, 503, 504):
            raise _AgainError(f"HTTP {error.code}") from error
        raise _closed(url, error) from error
    except _TROUBLE as error:
        raise _AgainError(_reason(error)) from error
    with response:
        start, length = _extent(response, have)
        if length is not None and (free := shutil.disk_usage(part.parent).free) < length - start:
            raise no_space(part.parent, what=f"for {what}: {length - start:,} bytes are missing, {free:,} free")
        meter = _Meter(what=what, total=length, progress=progress, patience=patience, done=start)
        with part.open("r+b" if start else "wb") as file:
            file.truncate(start)
            file.seek(start)
            _copy(response, file, meter, url)
    if length is not None and meter.done < length:
        raise _AgainError(f"cut after {meter.done:,} of {length:,} bytes")


def _copy(response: http.client.HTTPResponse, file: BinaryIO, meter: _Meter, url: str) -> None:
    while True:
        try:
            chunk = response.read1(_CHUNK_BYTES)
        except _TROUBLE as error:
            raise _AgainError(f"{_reason(error)} after {meter.done:,} bytes") from error
        if not chunk:
            return
        file.write(chunk)
        if too_slow := meter.count(len(chunk)):
            raise WayFailedError(f"{shown(url)}: {too_slow}", remedy=f"name a nearer --mirror, or {_AGAIN}")


def _extent(response: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """Where the body begins in the file, and how long the file is when the server says so."""
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status == http.HTTPStatus.PARTIAL_CONTENT and found and int(found[1]) == have:
        return have, None if found[2] == "*" else int(found[2])
    length = response.headers.get("Content-Length")
    return 0, int(length) if length and length.isdigit() else None


@dataclass(slots=True, kw_only=True)
class _Meter:
    """Counts what came, shows it, and notices when too little comes."""

    what: str
    total: int | None
    progress: Progress
    patience: Patience
    done: int
    _since: float = field(init=False)
    _before: int = field(init=False)

    def __post_init__(self) -> None:
        self._since, self._before = time.monotonic(), self.done

    def count(self, size_bytes: int) -> str:
        """Add a chunk; says so when the last stretch of time brought too little, else an empty string."""
        self.done += size_bytes
        self.progress(self.what, done=self.done / 1e6, total=self.total / 1e6 if self.total else None, unit="MB")
        passed_s = time.monotonic() - self._since
        if passed_s < self.patience.low_for_s:
            return ""
        rate = (self.done - self._before) / passed_s
        self._since, self._before = time.monotonic(), self.done
        if rate >= self.patience.low_bytes_per_s:
            return ""
        return f"too slow: {rate / 1024:.1f} KiB/s over {passed_s:.0f} s"


def _open(url: str, headers: dict[str, str], *, timeout_s: float) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    request = urllib.request.Request(shown(url), headers={"User-Agent": "idcbench", "Accept-Encoding": "identity"})
    for name, value in headers.items():
        request.add_header(name, value)
    if parts.username is not None:  # not sent on to where the mirror may redirect
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(secret.encode()).decode()}")
    opener = urllib.request.build_opener()  # not urlopen: that keeps the proxies of its first call for good
    return cast(http.client.HTTPResponse, opener.open(request, timeout=timeout_s))


def _closed(url: str, error: Exception) -> WayFailedError:
    with contextlib.suppress(AttributeError):
        error.close()  # type: ignore[attr-defined]
    return WayFailedError(f"{shown(url)}: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, socket.gaierror):
        return f"the name cannot be resolved ({inner.strerror}); is there a network?"
    return str(inner) or type(inner).__name__
