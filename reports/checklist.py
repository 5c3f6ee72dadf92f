"""The checks of a run as a list that can be read: by suite and area, with what each one proves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath

from idcbench.runs.schema import Check

ORDER = ("api", "controller", "scheduler", "etcd", "endpoint", "kubelet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """The checks of one test module, in the order in which they ran."""

    suite: str
    name: str
    checks: tuple[Check, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many ended how, without zeros: ``{"passed": 8, "failed": 1}``."""
        counted = Counter(check.outcome for check in self.checks)
        return {outcome: counted[outcome] for outcome in ("passed", "failed", "error", "skipped") if counted[outcome]}

    @property
    def good(self) -> bool:
        return not {"failed", "error"} & self.counts.keys()

    @property
    def duration_s(self) -> float:
        return sum(check.duration_s for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How many checks passed that need one part of Kubernetes to work; ``negative`` of them saw something refused."""

    part: str
    passed: int
    negative: int
    total: int


def areas(checks: Sequence[Check]) -> tuple[Area, ...]:
    """The checks grouped by suite and module, in the order of their first appearance."""
    order = {key: index for index, key in enumerate(dict.fromkeys(map(_place, checks)))}
    ordered = sorted(checks, key=lambda check: order[_place(check)])
    return tuple(
        Area(suite=suite, name=name, checks=tuple(group)) for (suite, name), group in groupby(ordered, key=_place)
    )


def proofs(checks: Sequence[Check]) -> tuple[Proof, ...]:
    """What the checks prove, the parts of Kubernetes in the order from the API to the node."""
    parts = sorted({check.proves for check in checks if check.proves} | {"kubelet"}, key=_rank)
    return tuple(_proof(part, [check for check in checks if check.proves == part]) for part in parts)


def in_trouble(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Those that failed or ended in an error."""
    return tuple(check for check in checks if check.outcome in ("failed", "error"))


def skipped(checks: Sequence[Check]) -> tuple[tuple[str, tuple[Check, ...]], ...]:
    """Those skipped, by reason, the most frequent reason first."""
    by_reason: dict[str, list[Check]] = {}
    for check in checks:
        if check.outcome == "skipped":
            by_reason.setdefault(check.reason or "no reason given", []).append(check)
    return tuple((reason, tuple(group)) for reason, group in sorted(by_reason.items(), key=lambda it: -len(it[1])))


def title(check: Check) -> str:
    """What the check says it checks, with its parameters; its name where it says nothing."""
    name = check.nodeid.rpartition("::")[2]
    parameters = name[name.index("[") + 1 : -1] if name.endswith("]") and "[" in name else ""
    said = check.title.removesuffix(".")
    return f"{said} ({parameters})" if said and parameters else said or name


def _place(check: Check) -> tuple[str, str]:
    module = PurePosixPath(check.nodeid.partition("::")[0]).stem
    return check.suite, module.removeprefix("test_").replace("_", " ")


def _rank(part: str) -> tuple[int, str]:
    return (ORDER.index(part) if part in ORDER else len(ORDER), part)


def _proof(part: str, checks: Sequence[Check]) -> Proof:
    passed = [check for check in checks if check.outcome == "passed"]
    return Proof(
        part=part,
        passed=len(passed),
        negative=sum(check.negative for check in passed),
        total=len(checks),
    )
