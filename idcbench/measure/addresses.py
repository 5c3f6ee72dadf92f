"""Who holds an address over time, from what ``ip monitor`` of each host wrote: no polling, the kernel's own events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from .clock import ClockPair

MONITOR = ("env", "TZ=UTC0", "ip", "-ts", "-o", "-4", "monitor", "address")
"""Writes a line with a time stamp for every address that comes or goes (ip-monitor(8))."""
ADDRESSES = ("ip", "-j", "-4", "address", "show")
_LINE = re.compile(r"\[(?P<at>[\d:.T-]+)\]\s+(?P<gone>Deleted\s+)?\d+: \S+\s+inet (?P<address>[\d.]+)[/ ]")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """``host`` took or left the address at ``at_ns`` (CLOCK_MONOTONIC)."""

    at_ns: int
    host: str
    took: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """Who held the address from ``since_ns`` on."""

    since_ns: int
    owners: frozenset[str]


def changes_in(text: str, *, host: str, address: str, clock: ClockPair) -> list[Change]:
    """The changes of ``address`` in the output of :data:`MONITOR` on ``host``; other lines are passed over.

    Keepalived sets its address anew now and then: taking what is held already is no change.
    """
    found: list[Change] = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None or match["address"] != address:
            continue
        took = match["gone"] is None
        if found and found[-1].took == took:
            continue
        found.append(Change(at_ns=clock.monotonic_of(_realtime_ns(match["at"])), host=host, took=took))
    return found


def holds(text: str, address: str) -> bool:
    """Whether the output of :data:`ADDRESSES` names the address. Raises ``ValueError`` when it is not that output."""
    return any(given.get("local") == address for link in json.loads(text) for given in link.get("addr_info", ()))


def owners_over_time(before: Iterable[str], changes: Iterable[Change], *, since_ns: int) -> list[Holding]:
    """Who held the address from ``since_ns`` on, a line for every change of the set of owners."""
    owners = set(before)
    held = [Holding(since_ns, frozenset(owners))]
    for change in sorted(changes):
        (owners.add if change.took else owners.discard)(change.host)
        if held[-1].owners != owners:
            held.append(Holding(max(change.at_ns, since_ns), frozenset(owners)))
    return held


def not_one_owner(held: list[Holding], *, since_ns: int, until_ns: int) -> list[Holding]:
    """The times between ``since_ns`` and ``until_ns`` in which the address had no owner or more than one."""
    ends = [holding.since_ns for holding in held[1:]] + [until_ns]
    return [
        holding
        for holding, end_ns in zip(held, ends, strict=True)
        if len(holding.owners) != 1 and end_ns > since_ns and holding.since_ns < until_ns
    ]


def _realtime_ns(stamp: str) -> int:
    whole, _, fraction = stamp.partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0")[:9])
