"""P2xx: whether clocks agree, and stay so."""

from __future__ import annotations

from dataclasses import dataclass

from .check import cluster_check, host_check
from .evidence import Evidence, HostEvidence
from .finding import Judged, judged

AGREED_S = 0.5
"""etcd warns from 1 s between members on (rafthttp); half of it leaves room for drift."""
APART_S = 10.0
"""Beyond, leases and tokens are judged wrongly."""
ALLOWANCE_S = 1800.0
"""Certificates made here begin an hour earlier (controlplane/pki.py): half of it."""
SERVICES = ("chrony", "systemd-timesyncd", "ntp", "ntpsec")


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a clock is ahead of this machine's: somewhere between ``least_s`` and ``most_s``."""

    least_s: float
    most_s: float

    def __str__(self) -> str:
        middle, half = (self.least_s + self.most_s) / 2, (self.most_s - self.least_s) / 2
        return f"{middle:+.3f} s ± {half:.3f}"


def offset(host: HostEvidence) -> Offset | None:
    """The closest bounds there are: the host read its clock after it was asked and before its answer came."""
    bounds = [
        (clock - answered, clock - asked)
        for clock, asked, answered in (map(int, value.split()) for value in host.measured.all("clock"))
    ]
    if host.facts.one("asked_ns"):
        clock = host.facts.number("clock_ns")
        bounds.append((clock - host.facts.number("answered_ns"), clock - host.facts.number("asked_ns")))
    if not bounds:
        return None
    return Offset(max(low for low, _ in bounds) / 1e9, min(high for _, high in bounds) / 1e9)


@cluster_check("P201", "the hosts' clocks agree", "error")
def clocks_agree(evidence: Evidence) -> Judged | None:
    """etcd warns from one second on; leases, tokens and logs are wrong beyond. The error of the reading counts."""
    offsets = {host.name: found for host in evidence.hosts if (found := offset(host))}
    if len(offsets) < 2:
        return None
    latest = max(offsets, key=lambda name: offsets[name].least_s)
    earliest = min(offsets, key=lambda name: offsets[name].most_s)
    surely_s = max(0.0, offsets[latest].least_s - offsets[earliest].most_s)
    text = f"{latest} {offsets[latest]}, {earliest} {offsets[earliest]}: at least {surely_s:.3f} s apart"
    return Judged(
        found=text if surely_s > AGREED_S else f"apart by no more than is known to {_doubt(offsets):.3f} s",
        wanted=f"within {AGREED_S:g} s",
        minimal=f"within {APART_S:g} s",
        level="sound" if surely_s <= AGREED_S else "warning" if surely_s <= APART_S else None,
        remedy=""
        if surely_s <= AGREED_S
        else "let all take their time from the same servers: chrony, `chronyc makestep`",
    )


def _doubt(offsets: dict[str, Offset]) -> float:
    return max(one.most_s - one.least_s for one in offsets.values())


@host_check("P202", "the clock is not far from this machine's", "error")
def driver_agrees(host: HostEvidence) -> Judged | None:
    """Certificates are made on this machine: a host whose clock is behind takes them for not yet valid."""
    found = offset(host)
    if found is None:
        return None
    surely_s = max(0.0, found.least_s, -found.most_s)
    return judged(
        surely_s <= ALLOWANCE_S,
        str(found),
        wanted=f"within {ALLOWANCE_S / 60:g} min",
        remedy="set the clock that is wrong: compare `date -u` here and there",
    )


@host_check("P203", "the clock is kept in step", "warning")
def in_step(host: HostEvidence) -> Judged:
    """Clocks drift apart by seconds in a week. idcbench installs and enables chrony; it needs servers to ask."""
    running = [name for name in SERVICES if is_active(host, name)]
    synchronized = host.facts.one("clock_synchronized") == "yes"
    found = f"{', '.join(running) or 'no time service'}, {'in step' if synchronized else 'not in step'}"
    return judged(
        synchronized,
        found,
        wanted="a time service, in step",
        remedy="a container has its machine's clock: see to it there"
        if host.is_container
        else "name time servers that the host reaches in /etc/chrony/chrony.conf, then `chronyc sources`",
        level="note" if host.is_container else None,
    )


@host_check("P204", "one service keeps the clock", "warning")
def one_service(host: HostEvidence) -> Judged:
    """Two of them pull the clock to and fro."""
    running = [name for name in SERVICES if is_active(host, name)]
    return judged(
        len(running) < 2,
        " and ".join(running) or "none",
        wanted="at most one",
        remedy=f"systemctl disable --now {running[-1] if running else ''}",
    )


def is_active(host: HostEvidence, service: str) -> bool:
    """Whether systemd says that it runs."""
    unit = host.facts.units.get(service)
    return unit is not None and unit.active == "active"
