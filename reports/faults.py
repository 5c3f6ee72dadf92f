"""The faults of a run: what was done, what the probe saw of it, repetition by repetition, beside the bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from idcbench.errors import RunError
from idcbench.runs.probelog import SUFFIX, ProbeHeader, read_probe_log
from idcbench.runs.timeline import Event

from .outages import Stream, streams

TITLES = {
    "apiserver-kill": ("API server killed", "The kube-apiserver on the host that holds the virtual IP is killed."),
    "etcd-leader-kill": ("etcd leader killed", "The etcd member that leads is killed."),
    "host-loss": ("Control-plane host lost", "The host that holds the virtual IP is lost whole."),
}
"""What a fault is called, and what is done; others go by their name."""


_SAME_ACT_NS = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that was done or seen, in s from the fault; ``kind`` is fault, verb or recovered."""

    at_s: float
    label: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The longest outage that the live configuration allows, and why; of all requests, or of one kind or connection."""

    value_ms: float
    explanation: str
    kind: str = ""
    connection: str = ""

    def covers(self, kind: str, connection: str) -> bool:
        return self.kind in ("", kind) and self.connection in ("", connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """One time that a fault was made.

    ``owners`` are the hosts that took the virtual IP, and when, oldest first; ``confirmed_ms`` is how long after the
    act the independent observer saw the fault, ``None`` when it said nothing.
    """

    fault: str
    number: int
    acts: tuple[Act, ...]
    owners: tuple[tuple[float, str], ...]
    streams: tuple[Stream, ...]
    deadline_ms: float | None
    confirmed_ms: float | None
    samples: str

    @property
    def worst_outage_ms(self) -> float:
        return max((stream.outage.outage_ms for stream in self.streams if stream.outage), default=0.0)

    def stream(self, kind: str, connection: str) -> Stream | None:
        return next((it for it in self.streams if (it.kind, it.connection) == (kind, connection)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """All repetitions of one fault that left a probe log, in order."""

    name: str
    repetitions: tuple[Repetition, ...]
    bounds: tuple[Bound, ...]

    @property
    def title(self) -> str:
        return TITLES.get(self.name, (self.name.replace("-", " ").capitalize(),))[0]

    @property
    def detail(self) -> str:
        """What is done, in a sentence; empty when the name has to do."""
        return TITLES.get(self.name, ("", ""))[1]

    def bound(self, kind: str, connection: str) -> Bound | None:
        """The bound for a request, the one that names it most exactly first."""
        fitting = [bound for bound in self.bounds if bound.covers(kind, connection)]
        return max(fitting, key=lambda bound: bool(bound.kind) + bool(bound.connection), default=None)

    @property
    def worst_first(self) -> tuple[Repetition, ...]:
        return tuple(sorted(self.repetitions, key=lambda it: it.worst_outage_ms, reverse=True))


def faults_of(run: Path, events: Sequence[Event]) -> tuple[Fault, ...]:
    """Every fault of the run in the order in which they were first made; a log that cannot be read is left out."""
    found: dict[str, list[Repetition]] = {}
    logs = sorted((log for path in (run / "samples").glob(f"*{SUFFIX}") if (log := _log(path))), key=_first_planned)
    for path, header, requests in logs:
        repetition = _repetition(path, header, requests, events)
        found.setdefault(header.fault, []).append(repetition)
    return tuple(
        Fault(name=name, repetitions=tuple(repetitions), bounds=_bounds(name, events))
        for name, repetitions in found.items()
    )


Log = tuple[Path, ProbeHeader, "npt.NDArray[np.void]"]


def _log(path: Path) -> Log | None:
    try:
        header, requests = read_probe_log(path)
    except RunError:
        return None
    return (path, header, requests) if len(requests) else None


def _first_planned(log: Log) -> int:
    return int(log[2]["planned_ns"][0])


def _repetition(path: Path, header: ProbeHeader, requests: npt.NDArray[np.void], events: Sequence[Event]) -> Repetition:
    begin_ns, end_ns = int(requests["planned_ns"].min()), int(requests["completed_ns"].max())
    own = [event for event in events if _belongs(event, header, begin_ns, end_ns)]
    zero_ns = next((int(event["at_ns"]) for event in own if _is_fault(event)), begin_ns)
    before = [event for event in events if event["what"] == "vip-owner" and event["at_ns"] < begin_ns][-1:]
    owners = [*before, *(event for event in own if event["what"] == "vip-owner")]
    return Repetition(
        fault=header.fault,
        number=header.repetition,
        acts=tuple(_acts(own, zero_ns)),
        owners=tuple(((event["at_ns"] - zero_ns) / 1e9, str(event.get("host") or "")) for event in owners),
        streams=streams(requests, zero_ns=zero_ns),
        deadline_ms=header.deadline_ms,
        confirmed_ms=_confirmed_ms(own),
        samples=f"samples/{path.name}",
    )


def _belongs(event: Event, header: ProbeHeader, begin_ns: int, end_ns: int) -> bool:
    """Whether an event is of this repetition: by its name and number where it says them, else by its time."""
    if "fault" in event:
        return (
            str(event["fault"]) == header.fault and int(event.get("repetition", header.repetition)) == header.repetition
        )
    return begin_ns <= int(event["at_ns"]) <= end_ns


def _is_fault(event: Event) -> bool:
    return event["what"] == "fault" and "fault" in event


def _acts(events: Sequence[Event], zero_ns: int) -> Iterable[Act]:
    """The fault, the verbs that were used besides, and the recovery."""
    made = [event for event in events if _is_fault(event)]
    for event in events:
        at_s = (event["at_ns"] - zero_ns) / 1e9
        if event["what"] == "recovered":
            yield Act(at_s=at_s, label=f"{_who(event, ' back on ', ' back')}, {at_s:+.1f} s", kind="recovered")
        elif _is_fault(event):
            yield Act(at_s=at_s, label=f"{_who(event, ' on ')}: {event.get('action') or 'fault'}", kind="fault")
        elif event["what"] == "fault" and not any(_same_act(event, other) for other in made):
            yield Act(at_s=at_s, label=f"{_who(event, ' on ')}: {event.get('verb') or 'fault'}", kind="verb")


def _same_act(event: Event, other: Event) -> bool:
    """Whether a line is the same act as the suite's own line about it, written by who carried it out."""
    near = abs(event["at_ns"] - other["at_ns"]) < _SAME_ACT_NS
    return near and all((event.get(key) or "") == (other.get(key) or "") for key in ("host", "component"))


def _who(event: Event, between: str, alone: str = "") -> str:
    """``etcd on cp1``, or the host with ``alone`` after it when the whole host is concerned."""
    component, host = str(event.get("component") or ""), str(event.get("host") or "")
    return f"{component}{between}{host}" if component and host else f"{component or host}{alone}"


def _confirmed_ms(events: Iterable[Event]) -> float | None:
    """How long after the act the independent observer saw the fault."""
    for event in events:
        if _is_fault(event) and isinstance(event.get("confirmed_ns"), int):
            return float(event["confirmed_ns"] - event["at_ns"]) / 1e6
    return None


def _bounds(fault: str, events: Sequence[Event]) -> tuple[Bound, ...]:
    """The bounds that the timeline names for a fault, each once (the last said for a kind and connection stands)."""
    said = [event for event in events if event["what"] == "bound" and event.get("fault") == fault]
    bounds = {
        (kind, connection): Bound(
            value_ms=float(event["value_ms"]),
            explanation=str(event.get("explanation") or ""),
            kind=kind,
            connection=connection,
        )
        for event in said
        if isinstance(event.get("value_ms"), int | float)
        for kind, connection in [(str(event.get("kind") or ""), str(event.get("connection") or ""))]
    }
    return tuple(bounds.values())
