"""What a host does at its start, by what the cluster says of it: the very script, with a kubectl that answers so."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from idcbench.provisioning.kubeadm import guard, paths

ENDPOINT = "10.9.0.100:8443"


def started(folder: Path, answer: str, *, code: int = 0, credentials: bool = True) -> subprocess.CompletedProcess[str]:
    """The guard of the host w1, all of whose files lie in ``folder``."""
    etc = folder / "etc"
    (etc / "idcbench").mkdir(parents=True)
    (etc / "idcbench" / "name").write_text("w1")
    if credentials:
        (etc / "kubelet.conf").touch()
    kubectl = folder / "kubectl"
    asked = f"case $* in *'--server https://{ENDPOINT} '*) ;; *) exit 1 ;; esac"
    kubectl.write_text(f"#!/bin/sh\n{asked}\ncat <<'END'\n{answer}\nEND\nexit {code}\n")
    kubectl.chmod(0o755)
    script = guard.script(ENDPOINT).replace(paths.ETC, str(etc))
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)


def removed(*names: str) -> str:
    """The ConfigMap as kubectl prints it."""
    data = dict.fromkeys(names, "removed")
    return json.dumps({"kind": "ConfigMap", "metadata": {"name": "idcbench-removed"}, "data": data}, indent=4)


def test_a_host_that_was_removed_does_not_start_and_is_told_why(tmp_path: Path) -> None:
    done = started(tmp_path, removed("w2", "w1"))
    assert done.returncode == 1
    assert "host w1 was removed from this cluster; idcbench node add" in done.stderr


@pytest.mark.parametrize("answer", [removed("w11", "w2"), removed(), ""], ids=["others", "nobody", "no such map"])
def test_any_other_host_starts(tmp_path: Path, answer: str) -> None:
    assert started(tmp_path, answer).returncode == 0


def test_where_nobody_answers_it_starts_as_somebody_has_to_be_the_first(tmp_path: Path) -> None:
    assert started(tmp_path, "", code=1).returncode == 0


def test_a_host_that_has_not_joined_yet_starts(tmp_path: Path) -> None:
    assert started(tmp_path, removed("w1"), credentials=False).returncode == 0
