"""Fails a test during which a component exited for no reason that a fault gives.

The rule. An exit of component C on host H that nobody asked for is explained by an act (a call of
``idc_cluster.faults``, from any process of the run) before it, up to ``AFTERMATH_S`` after the act, or as long as what
the act did lasts, when the act was on

- C on H, or the whole host H;
- etcd or kube-apiserver of any host, or any whole host, when C is kube-controller-manager or kube-scheduler: they exit
  by design when they cannot renew their lease;
- etcd of H, when C is kube-apiserver: it exits when its etcd does not answer.

Everything else fails the test.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..cluster import Happening
from ..runs.timeline import Event

ACT = "act"
"""``what`` of the timeline's lines that :class:`~idcbench.plugin.live.LiveFaults` causes: verb, host, component."""
AFTERMATH_S = 30.0
"""The longest lease of all profiles (slow-disk): until then a holder may still find out that it lost it."""
LEASE_HOLDERS = frozenset({"kube-controller-manager", "kube-scheduler"})
LEASE_KEEPERS = frozenset({"etcd", "kube-apiserver", ""})
LASTING = {
    "stop": "start",
    "freeze": "thaw",
    "stop-host": "start-host",
    "freeze-host": "thaw-host",
    "link-no-carrier": "link-up",
    "link-silent": "link-up",
    "limit": "unlimit",
}
"""What lasts until it is lifted, and by which verb it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A call of a fault's verb; ``component`` is empty when it concerned the whole host."""

    at_ns: int
    verb: str
    host: str
    component: str


def acts_of(events: Iterable[Event]) -> list[Act]:
    """The acts in a run's timeline, in its order."""
    return [
        Act(at_ns=event["at_ns"], verb=event["verb"], host=event["host"], component=event["component"])
        for event in events
        if event["what"] == ACT
    ]


def exits(happenings: Iterable[Happening], *, from_ns: int, until_ns: int) -> list[Happening]:
    """What exited by itself in that time."""
    return [
        happening
        for happening in happenings
        if not happening.asked and happening.what == "exited" and from_ns <= happening.at_ns <= until_ns
    ]


def unexplained(found: Iterable[Happening], acts: Sequence[Act]) -> list[Happening]:
    """Those exits that no act explains."""
    return [happening for happening in found if not any(_explains(act, happening, acts) for act in acts)]


def account(found: Sequence[Happening]) -> str:
    """What the failing test says: who exited, where, how, and its last words."""
    said = []
    for happening in found:
        code = "" if happening.exit_code is None else f" with {happening.exit_code}"
        said.append(f"{happening.component} on {happening.host} exited{code}, which no fault of this run explains")
        said += [f"  | {line}" for line in happening.last_lines[-5:]]
    return "\n".join(said)


def _explains(act: Act, happening: Happening, acts: Sequence[Act]) -> bool:
    if happening.at_ns < act.at_ns or not _concerns(act, happening):
        return False
    return happening.at_ns <= act.at_ns + AFTERMATH_S * 1e9 or _lasts(act, happening.at_ns, acts)


def _concerns(act: Act, happening: Happening) -> bool:
    if act.host == happening.host and act.component in ("", happening.component):
        return True
    if happening.component in LEASE_HOLDERS:
        return act.component in LEASE_KEEPERS
    return happening.component == "kube-apiserver" and act.component == "etcd" and act.host == happening.host


def _lasts(act: Act, at_ns: int, acts: Sequence[Act]) -> bool:
    lifted_by = LASTING.get(act.verb)
    return lifted_by is not None and not any(
        other.verb == lifted_by
        and (other.host, other.component) == (act.host, act.component)
        and act.at_ns <= other.at_ns <= at_ns
        for other in acts
    )
