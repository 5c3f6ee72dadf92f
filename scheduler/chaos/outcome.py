"""What a drill tells of itself: round by round, and at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from .faults import Struck


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A fault, when it struck and was lifted (wall clock), and the longest pause of bindings from then on.

    ``half_bound`` is how many gangs it found with some of their pods bound, and not all.
    """

    fault: str
    struck: Struck
    began_ns: int
    ended_ns: int
    pause_s: float = 0.0
    half_bound: int = 0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """``violations`` is empty when all went well; the rest are figures."""

    pods: int = 0
    nodes: int = 0
    gangs: int = 0
    rounds: list[Round] = field(default_factory=list)
    wall_s: float = 0.0
    bound: int = 0
    bound_by_log: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    whole_gangs_when_scarce: int = 0
    waiting_gangs_when_scarce: int = 0
    events: int = 0
    events_twice: int = 0
    events_lost_with_killed: int = 0
    violations: list[str] = field(default_factory=list)
