"""The faults of a run: what was done, what the probe saw of it, repetition by repetition, beside the bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from idcbench.errors import RunError
from idcbench.runs.causes import causes_of
from idcbench.runs.probelog import SUFFIX, ProbeHeader, read_probe_log
from idcbench.runs.timeline import Event

from .outages import Stream, streams

TITLES = {
    "apiserver-kill": ("API server killed", "The kube-apiserver on the host that holds the virtual IP is killed."),
    "etcd-leader-kill": ("etcd leader killed", "The etcd member that leads is killed."),
    "host-loss": ("Control-plane host lost", "The host that holds the virtual IP is lost whole."),
    "host-loss-no-carrier": (
        "Host lost, no carrier",
        "The host that holds the virtual IP loses its link and sees it; then it comes back.",
    ),
    "host-loss-silent": (
        "Host lost, silent",
        "The frames of the host that holds the virtual IP vanish, and it does not see it; then it comes back.",
    ),
    "host-power-virtual-ip": (
        "Host powered off",
        "The host that holds the virtual IP is switched off: all its processes are gone at once; then it starts again.",
    ),
    "host-power-follower": (
        "Other host powered off",
        "A control-plane host with neither the virtual IP nor the etcd leader is switched off; then it starts again.",
    ),
}
"""What a fault is called, and what is done; others go by their name."""


_SAME_ACT_NS = 2_000_000_000
_OF_A_BOUND = ("at_ns", "what", "fault", "repetition", "value_ms", "explanation", "kind", "connection")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that was done or seen, in s from the fault; ``kind`` is fault, verb or recovered."""

    at_s: float
    label: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The longest outage that the live configuration allows, and why; of all requests, or of those it names.

    ``labels`` name a variant of the fault, as the metrics' labels do.
    """

    value_ms: float
    explanation: str
    kind: str = ""
    connection: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def exactness(self) -> int:
        """How many things it names; the more exact bound is the one that counts."""
        return bool(self.kind) + bool(self.connection) + len(self.labels)

    def covers(self, kind: str, connection: str, labels: Mapping[str, str]) -> bool:
        named = all(labels.get(key) == value for key, value in self.labels.items())
        return named and self.kind in ("", kind) and self.connection in ("", connection)


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
    cause: str = ""
    """Why its outages last as long as they do, where the run says so."""

    @property
    def title(self) -> str:
        return TITLES.get(self.name, (self.name.replace("-", " ").capitalize(),))[0]

    @property
    def detail(self) -> str:
        """What is done, in a sentence, and the cause; empty when the name has to do."""
        cause = f"{self.cause[0].upper()}{self.cause[1:]}." if self.cause else ""
        return " ".join(filter(None, (TITLES.get(self.name, ("", ""))[1], cause)))

    def bound(self, kind: str, connection: str, labels: Mapping[str, str]) -> Bound | None:
        """The bound for a request, the one that names it most exactly."""
        fitting = [bound for bound in self.bounds if bound.covers(kind, connection, labels)]
        return max(fitting, key=lambda bound: bound.exactness, default=None)

    @property
    def bounds_told(self) -> tuple[Bound, ...]:
        """The bounds as they are told: one for both sorts of connection when it is the same, and an explanation that
        begins as the one before it without that beginning."""
        told: list[Bound] = []
        for bound in sorted(self.bounds, key=lambda bound: (sorted(bound.labels.items()), bound.value_ms)):
            last = told[-1] if told else None
            if last and replace(last, connection="") == replace(bound, connection=""):
                told[-1] = replace(last, connection="")
            else:
                told.append(bound)
        beginnings = ["", *(bound.explanation for bound in told)]
        return tuple(
            replace(
                bound, explanation=bound.explanation.removeprefix(former).lstrip(" .") if former else bound.explanation
            )
            for former, bound in zip(beginnings, told, strict=False)
        )

    @property
    def worst_first(self) -> tuple[Repetition, ...]:
        return tuple(sorted(self.repetitions, key=lambda it: it.worst_outage_ms, reverse=True))


def faults_of(run: Path, events: Sequence[Event]) -> tuple[Fault, ...]:
    """Every fault of the run in the order in which they were first made; a log that cannot be read is left out."""
    found: dict[str, list[Repetition]] = {}
    causes = causes_of(events)
    logs = sorted((log for path in (run / "samples").glob(f"*{SUFFIX}") if (log := _log(path))), key=_first_planned)
    for path, header, requests in logs:
        repetition = _repetition(path, header, requests, events)
        found.setdefault(header.fault, []).append(repetition)
    return tuple(
        Fault(name=name, repetitions=tuple(repetitions), bounds=_bounds(name, events), cause=causes.get(name, ""))
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
    return Repetition(
        fault=header.fault,
        number=header.repetition,
        acts=tuple(_acts(own, zero_ns)),
        owners=tuple(_owners(events, own, begin_ns, zero_ns)),
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


def _owners(events: Sequence[Event], own: Sequence[Event], begin_ns: int, zero_ns: int) -> Iterable[tuple[float, str]]:
    """Who took the virtual IP, first who had it before; an empty name when its owner left and nobody had it."""
    named = [event for event in own if event["what"] in ("vip-owner", "vip-left")]
    before = [event for event in events if event["what"] == "vip-owner" and event["at_ns"] < begin_ns][-1:]
    owner = None
    for event in (*(event for event in before if event not in named), *named):
        host = str(event.get("host") or "")
        if event["what"] == "vip-left" and host != owner:
            continue
        owner = host if event["what"] == "vip-owner" else ""
        yield (event["at_ns"] - zero_ns) / 1e9, owner


def _acts(events: Sequence[Event], zero_ns: int) -> Iterable[Act]:
    """The fault, what was done besides, and the recovery."""
    told = [event for event in events if _is_fault(event) or event["what"] == "returned"]
    whole_host = any(str(event.get("verb") or "").startswith("link") for event in told)
    for event in events:
        at_s = (event["at_ns"] - zero_ns) / 1e9
        host = str(event.get("host") or "")
        component = "" if whole_host else str(event.get("component") or "")
        where = f"{component} on {host}" if component and host else component or host
        if event["what"] == "recovered":
            back = f"{component} back on {host}" if component and host else f"{where} back"
            yield Act(at_s=at_s, label=f"{back}, {at_s:+.1f} s", kind="recovered")
        elif event["what"] == "returned":
            yield Act(at_s=at_s, label=f"{host or 'host'} let return", kind="verb")
        elif _is_fault(event):
            yield Act(at_s=at_s, label=f"{where}: {event.get('action') or 'fault'}", kind="fault")
        elif event["what"] == "fault" and not any(_same_act(event, other) for other in told):
            yield Act(at_s=at_s, label=f"{where}: {event.get('verb') or 'fault'}", kind="verb")


def _same_act(event: Event, other: Event) -> bool:
    """Whether a line is the act that the suite's own line tells of, written by who carried it out."""
    near = abs(event["at_ns"] - other["at_ns"]) < _SAME_ACT_NS
    return near and (event.get("host") or "") == (other.get("host") or "")


def _confirmed_ms(events: Iterable[Event]) -> float | None:
    """How long after the act the independent observer saw the fault."""
    for event in events:
        if _is_fault(event) and isinstance(event.get("confirmed_ns"), int):
            return float(event["confirmed_ns"] - event["at_ns"]) / 1e6
    return None


def _bounds(fault: str, events: Sequence[Event]) -> tuple[Bound, ...]:
    """The bounds that the timeline names for a fault; of several for the same requests the largest."""
    bounds: dict[tuple[object, ...], Bound] = {}
    for event in events:
        if (
            event["what"] != "bound"
            or event.get("fault") != fault
            or not isinstance(event.get("value_ms"), int | float)
        ):
            continue
        labels = {key: str(value) for key, value in event.items() if key not in _OF_A_BOUND}
        bound = Bound(
            value_ms=float(event["value_ms"]),
            explanation=str(event.get("explanation") or "").rstrip("."),
            kind=str(event.get("kind") or ""),
            connection=str(event.get("connection") or ""),
            labels=labels,
        )
        key = (bound.kind, bound.connection, *sorted(labels.items()))
        bounds[key] = max(bounds.get(key, bound), bound, key=lambda it: it.value_ms)
    return tuple(bounds.values())
