"""``leaderElection`` of a configuration file: whether one of several leads, by which lease, and its times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...yamlfile.values import Section, Value

DURATION_LEAST_S = 1.0
"""A Lease holds its duration in whole seconds."""
NAME_MOST = 253
NAME_WANTED = "a name such as kube-scheduler, of small letters, digits, dashes and dots"
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
TIMES = ("leaseDuration", "renewDeadline", "retryPeriod")


@dataclass(frozen=True, slots=True, kw_only=True)
class Election:
    """``leaderElection``; ``None`` where the file says nothing, so that the profile of timers holds."""

    elect: bool = True
    namespace: str = "kube-system"
    name: str = "kube-scheduler"
    duration_s: float | None = None
    renew_deadline_s: float | None = None
    retry_s: float | None = None


def read_election(given: Value | None) -> Election:
    """Read the section. Raises :class:`~idcbench.errors.UsageError` with the line."""
    default = Election()
    if given is None:
        return default
    section = given.section()
    elect, lock = section.take("leaderElect"), section.take("resourceLock")
    name, namespace = section.take("resourceName"), section.take("resourceNamespace")
    duration_s, renew_s, retry_s = _times(section)
    section.close()
    if lock is not None:
        lock.choice("leases")
    return Election(
        elect=elect.flag() if elect else True,
        namespace=_name(namespace) if namespace else default.namespace,
        name=_name(name) if name else default.name,
        duration_s=duration_s,
        renew_deadline_s=renew_s,
        retry_s=retry_s,
    )


def _name(value: Value) -> str:
    name = value.name()
    return name if can_name(name) else value.fail(f"{NAME_WANTED},")


def can_name(name: str) -> bool:
    """Whether a Lease, or a namespace, can be called so."""
    return len(name) <= NAME_MOST and _NAME.fullmatch(name) is not None


def _times(section: Section) -> Sequence[float | None]:
    """The times that are given, each longer than the next; 0s means the default, as it does upstream."""
    found = [(value, value.seconds() if value else 0.0) for value in map(section.take, TIMES)]
    duration, duration_s = found[0]
    if duration is not None and 0 < duration_s < DURATION_LEAST_S:
        duration.fail(f"a duration of at least {DURATION_LEAST_S:g}s")
    given = [(value, seconds) for value, seconds in found if value is not None and seconds]
    for (longer, longer_s), (shorter, shorter_s) in pairwise(given):
        if shorter_s >= longer_s:
            shorter.fail(f"less than the {longer_s:g}s of {longer.path}")
    return [seconds or None for _, seconds in found]
