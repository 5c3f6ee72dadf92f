"""An instrument runs before everything ordinary where it may, and soon where it may not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASK = """\
import os
from idcbench.measure.urgency import ask_to_run_soon
print(ask_to_run_soon(), os.sched_getscheduler(0))
"""
REFUSED = """\
import os
def refuse(*_):
    raise PermissionError
os.sched_setscheduler = refuse
"""


def answer(code: str) -> tuple[str, int]:
    """In a process of its own, as this one is not to become urgent."""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    granted, _, policy = done.stdout.strip().rpartition(" ")
    return granted, int(policy)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root (CAP_SYS_NICE)")
def test_who_may_is_a_real_time_process() -> None:
    assert answer(ASK) == ("real-time", os.SCHED_RR)


def test_who_may_not_stays_ordinary() -> None:
    granted, policy = answer(REFUSED + ASK)
    assert granted in ("short slices", "as any")
    assert policy == os.SCHED_OTHER
