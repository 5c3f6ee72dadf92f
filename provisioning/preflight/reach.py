"""P0xx: whether hosts can be worked on at all."""

from __future__ import annotations

from collections.abc import Iterator

from .check import check, host_check
from .evidence import Evidence, HostEvidence
from .finding import Judged, judged, sound


@check("P001", "every host is reached by SSH, and its root's rights", "error")
def reached(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """Everything is done over SSH as root; a host that is not reached is not checked any further."""
    wanted = "a connection with a known key, and root"
    for host in evidence.inventory.hosts:
        if (why := evidence.unreached.get(host.name)) is not None:
            found, _, remedy = why.partition("; ")
            yield host.name, Judged(found=found, wanted=wanted, remedy=remedy or "idcbench inventory check --connect")
        elif host.name in evidence.facts:
            yield host.name, sound(f"{host.user} at {host.address}", wanted=wanted)


@host_check("P002", "Python is there to measure with", "warning")
def python(host: HostEvidence) -> Judged:
    """The checks between hosts run a script there for some seconds; without Python they are left out."""
    found = host.facts.pairs("program").get("python3", "")
    return judged(
        bool(found), found or "no python3", wanted="python3", remedy="apt-get install python3-minimal (20 MB)"
    )


@check("P003", "every host could be measured", "warning", measures=True)
def measured(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """What was not measured (ports, MTU, disk, virtual IP) is not known to be sound."""
    for host in evidence.hosts:
        if (why := evidence.unmeasured.get(host.name)) is not None:
            remedy = "run the check again; if it stays so, try python3 there by hand"
            yield host.name, Judged(found=why, wanted="an answer in time", remedy=remedy)
        elif host.name in evidence.measured:
            yield host.name, sound("answered", wanted="an answer in time")


@host_check("P004", "the hosts' answer is quick", "note")
def quick(host: HostEvidence) -> Judged | None:
    """A host that takes seconds to say what it is has something wrong, or does something else."""
    if not host.facts.one("asked_ns"):
        return None
    seconds = (host.facts.number("answered_ns") - host.facts.number("asked_ns")) / 1e9
    return judged(
        seconds <= 5,
        f"{seconds:.1f} s",
        wanted="at most 5 s",
        remedy="see what loads it: `uptime`, `systemd-cgtop`, `dmesg`; all steps will be as slow",
    )
