"""Checking the hosts of an inventory: reach, ask, measure, judge; and, when asked for, mend what does no harm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ...errors import IdcError
from ...hosts.fleet import Fleet, fleet
from ...hosts.inventory import Inventory
from ..artifacts.bundle import Bundle
from ..facts.gather import gather
from ..kubeadm.lock import locked
from ..kubeadm.supplies import find_bundle
from .check import Check
from .evidence import Evidence, Supply
from .finding import Finding, Fix
from .measuring import measure
from .registry import judge

FIX_S = 300.0
"""dpkg may have to configure many packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A fix that was applied to a host; ``trouble`` is why it did not work, empty when it did."""

    host: str
    what: str
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came out. ``findings`` are of after the fixes, sound ones among them."""

    inventory: Inventory
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    changed: tuple[Changed, ...] = ()
    started: datetime
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether there is no error."""
        return not any(finding.level == "error" for finding in self.findings)


async def check_hosts(
    inventory: Inventory, *, checks: Sequence[Check], bundle: Path | None, deep: bool = False, fix: bool = False
) -> Checked:
    """Run the checks on all hosts at once. Changes nothing unless ``fix``; a host that fails is a finding.

    With ``deep`` the disk is measured for twenty seconds, members' disks too. With ``fix`` raises
    :class:`~idcbench.hosts.failure.HostError` when somebody else works on a host that is to be mended.
    """
    started, began_s = datetime.now(UTC), time.monotonic()
    supply = asyncio.create_task(asyncio.to_thread(supply_of, bundle, inventory))
    changed: tuple[Changed, ...] = ()
    async with fleet(inventory) as reached:
        evidence = await _asked(reached)
        if any(check.measures for check in checks):
            evidence = await measure(reached, evidence, deep=deep)
        evidence = replace(evidence, bundle=await supply)
        findings = judge(evidence, checks)
        if fix and (wanted := fixes_of(evidence, findings)):
            changed = await _mend(reached, wanted)
            findings = judge(replace(evidence, facts=(await _asked(reached)).facts), checks)
    return Checked(
        inventory=inventory,
        checks=tuple(checks),
        findings=tuple(findings),
        changed=changed,
        started=started,
        seconds=time.monotonic() - began_s,
    )


async def _asked(reached: Fleet) -> Evidence:
    found = await gather(reached)
    failed = {name: str(why) for name, why in {**reached.unreached, **found.failed}.items()}
    unreached = {name: why.removeprefix(f"host {name}: ") for name, why in failed.items()}
    return Evidence(inventory=reached.inventory, facts=found.done, unreached=unreached)


def supply_of(given: Path | None, inventory: Inventory) -> Supply | None:
    """The bundle, read whole and compared with its digests; ``None`` where none was given and none lies there."""
    if given is None and not list(inventory.path.absolute().parent.glob("*.bundle")):
        return None
    try:
        bundle = find_bundle(given, inventory)
        bundle.verify()
    except IdcError as error:
        return Supply(path=str(given or ""), trouble=str(error))
    return Supply(path=str(bundle.path), manifest=bundle.manifest)


def supply_opened(bundle: Bundle) -> Supply:
    """The same of a bundle that is open already; its digests are compared as it is read."""
    return Supply(path=str(bundle.path), manifest=bundle.manifest)


def fixes_of(evidence: Evidence, findings: Sequence[Finding]) -> dict[str, list[Fix]]:
    """What can be mended, by host, each thing once; nothing on a host that belongs to another cluster."""
    ours = {host.name for host in evidence.hosts if not host.is_elsewhere}
    found: dict[str, list[Fix]] = {}
    for finding in findings:
        if finding.fix is None or finding.subject not in ours:
            continue
        if finding.fix not in found.setdefault(finding.subject, []):
            found[finding.subject].append(finding.fix)
    return found


async def _mend(reached: Fleet, wanted: dict[str, list[Fix]]) -> tuple[Changed, ...]:
    changed: list[Changed] = []
    async with locked([reached[name] for name in wanted], doing="check --fix"):
        for name, fixes in wanted.items():
            for fix in fixes:
                changed.append(Changed(host=name, what=fix.what, trouble=await _applied(reached, name, fix)))
    return tuple(changed)


async def _applied(reached: Fleet, name: str, fix: Fix) -> str:
    """Empty when it worked."""
    try:
        (await reached[name].run("sh", "-eu", content=fix.script.encode(), timeout_s=FIX_S)).check()
    except (IdcError, TimeoutError) as error:
        return str(error)
    return ""
