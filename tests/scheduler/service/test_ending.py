"""The command by itself: how it ends when it is told to, or may not go on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fake_api import Refuse
from scheduler_api import SchedulerApi

from idcbench.errors import ClusterError

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: x
contexts: [{{name: x, context: {{cluster: x, user: x}}}}]
clusters: [{{name: x, cluster: {{server: "{url}"}}}}]
users: [{{name: x, user: {{}}}}]
"""


@pytest.fixture
def command(api: SchedulerApi, tmp_path: Path) -> list[str]:
    """Runs the scheduler on the fake API server."""
    (tmp_path / "kubeconfig").write_text(KUBECONFIG.format(url=api.url))
    run = [sys.executable, "-m", "idcbench.cli.main", "scheduler", "run", "--kubeconfig", str(tmp_path / "kubeconfig")]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return [*run, "--plain-http", "--bind-address", "127.0.0.1", "--secure-port", str(port)]


def test_told_to_end_it_waits_for_no_compiler(command: list[str], tmp_path: Path) -> None:
    nothing_kept = os.environ | {"IDCBENCH_KERNELS": str(tmp_path / "kernels")}
    with subprocess.Popen(command, env=nothing_kept, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = [next(process.stderr)]
        process.send_signal(signal.SIGTERM)
        said += process.stderr
    assert '"serving"' in said[0]
    assert not any("kernels are ready" in line for line in said)
    assert process.returncode == 128 + signal.SIGTERM


def test_what_it_may_not_do_is_told_with_the_remedy(command: list[str], api: SchedulerApi) -> None:
    api.next(Refuse(403, "Forbidden", "no right to list pods"), path="/api/v1/pods")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == ClusterError.exit_code
    assert "no right to list pods; the kubeconfig or service account settles what it may do:" in done.stderr
    assert "`idcbench scheduler manifests --only-roles-for USER` prints the roles that are needed" in done.stderr
