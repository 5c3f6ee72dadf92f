"""What a running scheduler knows of a pod, as it goes over the wire."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ..decisions import Explanation, Placed, Unplaced
from ..service.journal import Entry


class Past(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decision as it was made then. ``at_s`` is the time of day in seconds since the epoch.

    ``explanation`` is there when it was taken at that moment; the rest always is.
    """

    at_s: float
    attempt: int
    outcome: str
    node: str | None = None
    evaluated: int = 0
    message: str = ""
    plugins: tuple[str, ...] = ()
    preempts_on: str | None = None
    victims: tuple[str, ...] = ()
    violations: int = 0
    explanation: Explanation | None = None


class Explained(Struct, frozen=True, kw_only=True):
    """``past`` is what the ring of the leader holds, newest first; ``now`` was computed on the state of today."""

    pod: str
    scheduler: str
    """Who answered: the identity of the process, or ``recomputed here``."""
    leader: bool
    bound_to: str | None = None
    """The node that the pod has by now."""
    past: tuple[Past, ...] = ()
    now: Explanation | None = None
    """A running scheduler gives it for a pod without a node; a command that recomputes, for any pod."""


def past_of(entries: Iterable[Entry]) -> tuple[Past, ...]:
    """The entries of a journal."""
    return tuple(_past(entry) for entry in entries)


def _past(entry: Entry) -> Past:
    preemption = entry.preemption
    shared = {
        "at_s": entry.decided_s,
        "attempt": entry.attempt,
        "outcome": entry.outcome,
        "explanation": entry.explanation,
        "preempts_on": preemption.node if preemption else None,
        "victims": tuple(pod.key for pod in preemption.victims) if preemption else (),
        "violations": preemption.violations if preemption else 0,
    }
    match entry.decision:
        case Placed(node=node, evaluated=evaluated):
            return Past(**shared, node=node, evaluated=evaluated)  # type: ignore[arg-type]
        case Unplaced() as unplaced:
            plugins = tuple(sorted(unplaced.plugins))
            return Past(**shared, evaluated=unplaced.nodes, message=unplaced.message, plugins=plugins)  # type: ignore[arg-type]
