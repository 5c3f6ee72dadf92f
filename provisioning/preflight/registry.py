"""All checks, by their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType

from ...errors import UsageError
from . import between, clocks, clusters, disks, kernel, machine, network, reach, software, surroundings
from .check import Check
from .evidence import Evidence
from .finding import Finding

MODULES: tuple[ModuleType, ...] = (
    reach,
    machine,
    clocks,
    disks,
    network,
    surroundings,
    between,
    kernel,
    software,
    clusters,
)


def _made() -> Iterator[Check]:
    for module in MODULES:
        yield from (value for value in vars(module).values() if isinstance(value, Check))


CHECKS = {check.id: check for check in sorted(_made(), key=lambda each: each.id)}


def chosen(only: Sequence[str]) -> tuple[Check, ...]:
    """Those with the numbers given; all when none is given.

    Raises :class:`~idcbench.errors.UsageError` for an unknown one.
    """
    for number in only:
        if number not in CHECKS:
            raise UsageError(
                f"--only: no check is called {number}; they are {min(CHECKS)} to {max(CHECKS)}, see docs/preflight.md"
            )
    return tuple(check for check in CHECKS.values() if not only or check.id in only)


def judge(evidence: Evidence, checks: Iterable[Check] = tuple(CHECKS.values())) -> list[Finding]:
    """What the checks find, sound things among them, in the order of their numbers. Asks nothing of any host."""
    return [finding for check in checks for finding in check.run(evidence)]
