"""How far the clocks of others are from this machine's, from request and response, with the error stated.

A host is asked for its time as NTP does (RFC 5905, section 8). Where no host can be asked, the ``Date`` of the API
server's answers tells whole seconds only; its tick is found by asking again at the time that halves what is not known.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp

from ..cluster import Host
from ..errors import IdcError
from ..kube.access import Access

OFFSET_LIMIT_MS = 20.0
EXCHANGES = 4
COMMAND = ("date", "+%s%N")
"""Of GNU coreutils: nanoseconds since 1970."""
ANSWER_S = 5.0
SECOND_NS = 1_000_000_000
TICK_KNOWN_NS = 5_000_000
"""A quarter of the limit: the tick of the API server's clock is looked for until it is known to this."""
TICK_TRIES = 12
AGAIN_S = 30.0


class ClockError(IdcError):
    """A clock could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """``host``'s wall clock is ``offset_ms`` ahead of this machine's, give or take ``error_ms``."""

    host: str
    offset_ms: float
    error_ms: float

    def __str__(self) -> str:
        return f"the clock of {self.host} is {self.offset_ms:+.1f} ms (± {self.error_ms:.1f} ms) from this machine's"

    @property
    def objection(self) -> str:
        """Why server times must not be set beside this machine's; empty when they may, or when nobody can say.

        An offset that its error reaches around to 0 may be all error: a command that starts slowly looks like one.
        """
        if abs(self.offset_ms) <= OFFSET_LIMIT_MS or abs(self.offset_ms) <= self.error_ms:
            return ""
        return (
            f"{self}; at most {OFFSET_LIMIT_MS:.0f} ms is right: let chronyc tracking say why on both, "
            "and chronyc makestep set it"
        )

    @property
    def note(self) -> str:
        """Said where the limit is kept as far as is known, but more cannot be excluded; else empty."""
        if self.objection or abs(self.offset_ms) + self.error_ms <= OFFSET_LIMIT_MS:
            return ""
        return f"{self}; more than {OFFSET_LIMIT_MS:.0f} ms cannot be excluded"


def offset_of(host: str, *, asked_ns: int, told_ns: int, answered_ns: int) -> Offset:
    """NTP's formula for a request and its answer, where the host tells one time for both of its ends.

    The host read its clock at some time between the two: the error is half of the round trip.
    """
    return Offset(
        host=host,
        offset_ms=((told_ns - asked_ns) + (told_ns - answered_ns)) / 2 / 1e6,
        error_ms=(answered_ns - asked_ns) / 2 / 1e6,
    )


async def host_offset(host: Host, *, now_ns: Callable[[], int] = time.time_ns) -> Offset:
    """Of some exchanges the one with the shortest round trip. Raises :class:`ClockError`."""
    found = [await _exchange(host, now_ns) for _ in range(EXCHANGES)]
    return min(found, key=lambda offset: offset.error_ms)


async def _exchange(host: Host, now_ns: Callable[[], int]) -> Offset:
    asked_ns = now_ns()
    try:
        completed = await host.run(*COMMAND, timeout_s=ANSWER_S)
    except (OSError, IdcError, TimeoutError) as error:
        raise ClockError(f"host {host.name}: its clock could not be read: {error or type(error).__name__}") from error
    answered_ns = now_ns()
    said = completed.stdout.strip()
    if completed.exit_code or not said.isdigit() or len(said) < 19:
        raise ClockError(f"host {host.name}: `{' '.join(COMMAND)}` is to print nanoseconds; it printed {said[:40]!r}")
    return offset_of(host.name, asked_ns=asked_ns, told_ns=int(said), answered_ns=answered_ns)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A clock is at least ``low_ns`` and at most ``high_ns`` ahead of this machine's."""

    low_ns: int
    high_ns: int

    @classmethod
    def of_second(cls, second: int, *, asked_ns: int, answered_ns: int) -> Bounds:
        """What one answer tells whose whole ``second`` was taken between the two times."""
        return cls(second * SECOND_NS - answered_ns, (second + 1) * SECOND_NS - asked_ns)

    def both(self, other: Bounds) -> Bounds:
        """What both tell; ``other`` alone when they contradict each other, as a clock was set in between."""
        low_ns, high_ns = max(self.low_ns, other.low_ns), min(self.high_ns, other.high_ns)
        return Bounds(low_ns, high_ns) if low_ns <= high_ns else other

    def next_question_ns(self, now_ns: int) -> int:
        """When the clock's next whole second begins if the truth is in the middle: the answer then halves what is left.

        In ns of this machine's wall clock, from ``now_ns`` on.
        """
        middle_ns = (self.low_ns + self.high_ns) // 2
        return -(-(now_ns + middle_ns) // SECOND_NS) * SECOND_NS - middle_ns

    def offset(self, host: str) -> Offset:
        return Offset(
            host=host,
            offset_ms=(self.low_ns + self.high_ns) / 2 / 1e6,
            error_ms=(self.high_ns - self.low_ns) / 2 / 1e6,
        )


async def server_offsets(access: Access, *, name: str = "kube-apiserver") -> AsyncGenerator[Offset, None]:
    """The offset of the server behind the endpoint, now and every :data:`AGAIN_S`, for ever; to be read in background.

    A few small requests, about one a second until the tick is known to :data:`TICK_KNOWN_NS`, two afterwards. Raises
    :class:`ClockError` when the server does not tell. Behind an endpoint may be several: contradictions widen nothing,
    the last answer counts.
    """
    connector = aiohttp.TCPConnector(
        ssl=access.ssl_context() if access.server.startswith("https:") else True,
        socket_factory=access.socket_factory(),
    )
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=access.headers()) as http:
        while True:
            yield (await _found_tick(http, access.server + "/version")).offset(name)
            await asyncio.sleep(AGAIN_S)


async def _found_tick(http: aiohttp.ClientSession, url: str) -> Bounds:
    await _second(http, url)  # connects
    known = await _second(http, url)
    for _ in range(TICK_TRIES):
        if known.high_ns - known.low_ns <= TICK_KNOWN_NS:
            break
        await asyncio.sleep((known.next_question_ns(time.time_ns()) - time.time_ns()) / 1e9)
        known = known.both(await _second(http, url))
    return known


async def _second(http: aiohttp.ClientSession, url: str) -> Bounds:
    asked_ns = time.time_ns()
    try:
        async with http.get(url) as answer:
            answered_ns = time.time_ns()
            said = answer.headers["Date"]
        return Bounds.of_second(
            int(parsedate_to_datetime(said).timestamp()), asked_ns=asked_ns, answered_ns=answered_ns
        )
    except (aiohttp.ClientError, OSError, TimeoutError, KeyError, ValueError) as error:
        raise ClockError(f"{url}: no Date in an answer: {error or type(error).__name__}") from error
