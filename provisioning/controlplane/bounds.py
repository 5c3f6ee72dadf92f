"""How long a fault may keep the endpoint from answering, as the timers imply it: for each fault a figure and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...cluster import Timers
from .endpoint import BASE_PRIORITY

Fault = Literal["apiserver-kill", "etcd-leader-kill", "host-loss", "host-power"]
LOST: tuple[Fault, ...] = ("host-loss", "host-power")
LOWEST_PRIORITY = BASE_PRIORITY + 10
"""Of the first host; the lower the priority, the longer a backup waits (RFC 5798, skew time)."""
COMMIT_MS = 100
"""For what has no timer: votes, the first commit of a new leader, a TLS handshake, announcing the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The longest full outage to be expected, and one or two sentences that say what it is made of."""

    value_ms: float
    explanation: str


def outage_bound(
    timers: Timers, fault: Fault, *, members: int, reused: bool = False, with_leader: bool = False, deadline_ms: float
) -> Bound | None:
    """The bound of one fault on new connections, or on ``reused`` ones.

    ``with_leader`` is for the loss of a host that also held the etcd leader. ``None`` with fewer than three
    ``members``: then nothing takes over, and the outage lasts until what was lost is back.
    """
    if members < 3:
        return None
    match fault:
        case "apiserver-kill":
            bound = _apiserver_kill(timers)
        case "etcd-leader-kill":
            bound = _election(timers)
        case "host-loss" | "host-power":
            bound = _host_loss(timers, with_leader=with_leader)
    return _on_reused(bound, deadline_ms) if reused and fault in LOST else bound


def master_down_ms(timers: Timers, *, priority: int = LOWEST_PRIORITY) -> float:
    """After what silence a backup takes the virtual IP: three adverts and the skew (RFC 5798, 6.1)."""
    return (3 + (256 - priority) / 256) * timers.vrrp_advert_s * 1000


def election_ms(timers: Timers) -> float:
    """The latest that a follower stands for election after its leader fell silent.

    Raft draws its time-out from one to two election times, in ticks of a heartbeat, from the last heartbeat on.
    """
    return 2 * timers.etcd_election_ms + timers.etcd_heartbeat_ms


def refused_ms(timers: Timers) -> float:
    """When haproxy leaves out an API server whose port is closed: one check, then fast ones up to ``fall``."""
    return timers.check_inter_ms + (timers.check_fall - 1) * timers.check_fast_ms


def unanswered_ms(timers: Timers) -> float:
    """When haproxy leaves out one that answers nothing at all: each check then also waits for its connect."""
    waits_ms = min(timers.connect_ms, timers.check_inter_ms)
    return refused_ms(timers) + timers.check_fall * waits_ms


def _apiserver_kill(timers: Timers) -> Bound:
    return Bound(
        value_ms=refused_ms(timers) + COMMIT_MS,
        explanation=(
            "A connection to a killed API server is refused and goes to the next one at once, so new ones need not fail"
            f" at all; the bound is how long haproxy may go on trying it: a check every {timers.check_inter_ms} ms,"
            f" {timers.check_fall} failed in a row {timers.check_fast_ms} ms apart, and {COMMIT_MS} ms for the rest."
        ),
    )


def _election(timers: Timers) -> Bound:
    return Bound(
        value_ms=election_ms(timers) + COMMIT_MS,
        explanation=(
            f"A follower stands for election one to two election times ({timers.etcd_election_ms} ms) and one heartbeat"
            f" ({timers.etcd_heartbeat_ms} ms) after the leader's last word, and {COMMIT_MS} ms go to votes and the"
            " first commit; a split vote, which is rare, would add another round."
        ),
    )


def _host_loss(timers: Timers, *, with_leader: bool) -> Bound:
    moved_ms, noticed_ms, elected_ms = master_down_ms(timers), unanswered_ms(timers), election_ms(timers)
    told = (
        f"A backup takes the virtual IP after three adverts of {timers.vrrp_advert_s:g} s and its skew"
        f" ({moved_ms:.0f} ms)"
    )
    latest_ms = moved_ms
    if noticed_ms > moved_ms:
        latest_ms += timers.connect_ms
        told += f"; its haproxy may still try the lost API server once ({timers.connect_ms} ms to connect)"
    if with_leader:
        latest_ms = max(latest_ms, elected_ms)
        told += f"; meanwhile etcd elects a new leader within {elected_ms:.0f} ms, and the later of the two counts"
    return Bound(value_ms=latest_ms + COMMIT_MS, explanation=f"{told}; {COMMIT_MS} ms for what has no timer.")


def _on_reused(bound: Bound, deadline_ms: float) -> Bound:
    return Bound(
        value_ms=bound.value_ms + deadline_ms,
        explanation=(
            f"{bound.explanation} A connection to the lost host is given up when its request misses its deadline"
            f" ({deadline_ms:.0f} ms), so reused ones may take that much longer."
        ),
    )
