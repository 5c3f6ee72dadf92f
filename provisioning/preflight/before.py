"""What forbids changing hosts: the errors that facts alone show, for `idcbench up` to ask before it begins."""

from __future__ import annotations

from ...errors import ClusterError
from ..artifacts.bundle import Bundle
from ..kubeadm.state import State
from .checking import supply_opened
from .evidence import Evidence
from .finding import Finding
from .registry import CHECKS, judge


def judge_state(state: State, *, bundle: Bundle) -> list[Finding]:
    """All findings on hosts as they are, sound ones among them; measures nothing and asks nothing of any host."""
    evidence = Evidence(inventory=state.inventory, facts=state.facts, bundle=supply_opened(bundle))
    return judge(evidence, [check for check in CHECKS.values() if not check.measures])


def refuse_unsound(state: State, *, bundle: Bundle) -> None:
    """Raise :class:`~idcbench.errors.ClusterError` with every error, a line each; say nothing of the rest."""
    errors = [finding for finding in judge_state(state, bundle=bundle) if finding.level == "error"]
    if errors:
        lines = "\n".join(
            f"  {one.check} {one.subject}: found {one.found}; wanted {one.minimal or one.wanted}; {one.remedy}"
            for one in errors
        )
        raise ClusterError(f"nothing was changed, as hosts are not fit (more by `idcbench check`):\n{lines}")
