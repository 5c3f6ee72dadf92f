"""Schedulers on three members under faults: the short form of ``scripts/chaos_scheduler.py``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts/chaos_scheduler.py"
FAULTS = ("leader-killed", "lease-given-away", "api-server-killed", "etcd-leader-killed")


@pytest.mark.integration
def test_every_pod_is_bound_once_whatever_dies(tmp_path: Path) -> None:
    found = tmp_path / "outcome.json"
    done = subprocess.run(
        [sys.executable, SCRIPT, "--pods=400", "--rounds=1", f"--faults={','.join(FAULTS)}", "--seed=5",
         f"--name=test-chaos-{os.getpid()}", f"--logs={tmp_path / 'logs'}", f"--json={found}"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(found.read_text())
    assert outcome["violations"] == []
    assert outcome["bound"] == outcome["pods"] == 400
    assert sorted(one["fault"] for one in outcome["rounds"]) == sorted(FAULTS)
    assert outcome["waiting_gangs_when_scarce"] >= 1
