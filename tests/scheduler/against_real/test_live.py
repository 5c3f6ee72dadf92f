"""The reference program against kube-scheduler as a process, on one cluster; the script has more (--live)."""

from __future__ import annotations

import os

import pytest
from against_real.live import live_cases, live_differences
from against_real.reference import Reference


@pytest.mark.integration
async def test_the_reference_program_says_what_a_running_kube_scheduler_does(reference: Reference) -> None:
    asked = 0
    async for case, decision in live_cases(name=f"test-live-{os.getpid()}", seed=4, clusters=1, pods=8):
        ((_, answer),) = reference.answers([case])
        assert live_differences(decision, answer) == [], case["id"]
        asked += bool(decision.feasible)
    assert asked > 1
