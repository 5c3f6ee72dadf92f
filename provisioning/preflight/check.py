"""What a check is, and how a function becomes one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from ..facts.facts import FactsError
from .evidence import Evidence, HostEvidence
from .finding import Finding, Judged, Severity

GROUPS = ("reach", "machine", "time", "disk", "network", "kernel", "software", "cluster")
"""By the first digit of a check's number."""
CLUSTER = "cluster"
"""The subject of what concerns no single host."""
Judging = Callable[[Evidence], Iterable[tuple[str, Judged]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A numbered check. ``title`` says what is wanted, ``severity`` how grave it is when it is not so, ``why`` why.

    The number stays what it is, whatever becomes of the check. ``measures``: it needs more than facts.
    """

    id: str
    title: str
    severity: Severity
    why: str
    measures: bool
    judge: Judging

    @property
    def group(self) -> str:
        return GROUPS[int(self.id[1])]

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        """A finding for every subject that it can judge, sound ones too; facts that cannot be read are one as well."""
        for subject, judged in _readable(CLUSTER, lambda: list(self.judge(evidence))):
            yield Finding(
                check=self.id,
                subject=subject,
                level=judged.level or self.severity,
                found=judged.found,
                wanted=judged.wanted,
                minimal=judged.minimal,
                remedy=judged.remedy,
                fix=judged.fix,
            )


def check(number: str, title: str, severity: Severity, *, measures: bool = False) -> Callable[[Judging], Check]:
    """Make a check of a function over all evidence that gives judgements by their subject."""

    def made(judge: Judging) -> Check:
        why = inspect.cleandoc(judge.__doc__ or "").replace("\n", " ")
        return Check(id=number, title=title, severity=severity, why=why, measures=measures, judge=judge)

    return made


def host_check(
    number: str, title: str, severity: Severity, *, measures: bool = False
) -> Callable[[Callable[[HostEvidence], Judged | None]], Check]:
    """Make a check of a function that judges one host; ``None`` where the check does not concern it."""

    def made(judge: Callable[[HostEvidence], Judged | None]) -> Check:
        def each(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
            for host in evidence.hosts:
                yield from _readable(host.name, partial(_of_host, judge, host))

        each.__doc__ = judge.__doc__
        return check(number, title, severity, measures=measures)(each)

    return made


def cluster_check(
    number: str, title: str, severity: Severity, *, measures: bool = False
) -> Callable[[Callable[[Evidence], Judged | None]], Check]:
    """Make a check of a function that judges all hosts together."""

    def made(judge: Callable[[Evidence], Judged | None]) -> Check:
        def once(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
            yield from _some(CLUSTER, judge(evidence))

        once.__doc__ = judge.__doc__
        return check(number, title, severity, measures=measures)(once)

    return made


def _of_host(judge: Callable[[HostEvidence], Judged | None], host: HostEvidence) -> list[tuple[str, Judged]]:
    return _some(host.name, judge(host))


def _some(subject: str, judged: Judged | None) -> list[tuple[str, Judged]]:
    return [] if judged is None else [(subject, judged)]


def _readable(subject: str, judge: Callable[[], list[tuple[str, Judged]]]) -> list[tuple[str, Judged]]:
    """What is judged; when a host said what cannot be read, that: one odd host does not end the check of all."""
    try:
        return judge()
    except (FactsError, ValueError) as error:
        remedy = "see what the host has there; other checks go on"
        return [(subject, Judged(found=f"not readable: {error}", wanted="an answer", level="warning", remedy=remedy))]
