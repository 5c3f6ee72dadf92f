"""The last decisions as they were made, for ``explain``."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..decisions import Decision, Explanation, Preemption

Outcome = str
"""``decided``, then ``bound``, ``claims``, or in words why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``decided_s`` is the time of day (seconds since the epoch); ``explanation`` was taken then, if at all."""

    uid: str
    key: str
    decided_s: float
    attempt: int
    decision: Decision
    outcome: Outcome = "decided"
    preemption: Preemption | None = None
    explanation: Explanation | None = None


class Journal:
    """The last ``most`` decisions, oldest first. Keeping one costs about a microsecond."""

    def __init__(self, most: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=most)
        self._outcomes: dict[str, Outcome] = {}
        self._most = most

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def decided(
        self, decision: Decision, *, attempt: int, preemption: Preemption | None = None,
        explanation: Explanation | None = None,
    ) -> None:  # fmt: skip
        """Note a decision."""
        pod = decision.pod
        if len(self._entries) == self._most:
            self._outcomes.pop(self._entries[0].uid, None)
        self._entries.append(
            Entry(
                uid=pod.metadata.uid, key=pod.key, decided_s=time.time(), attempt=attempt, decision=decision,
                preemption=preemption, explanation=explanation,
            )
        )  # fmt: skip

    def ended(self, uid: str, outcome: Outcome) -> None:
        """What became of the newest decision about this pod."""
        self._outcomes[uid] = outcome

    def of(self, key: str) -> list[Entry]:
        """The decisions about the pod ``namespace/name``, newest first."""
        found = [entry for entry in reversed(self._entries) if entry.key == key]
        if found and (outcome := self._outcomes.get(found[0].uid)) is not None:
            found[0] = replace(found[0], outcome=outcome)
        return found
