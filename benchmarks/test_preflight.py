"""How long `idcbench check` takes, from its start to its end, by the number of hosts.

    .venv/bin/pytest benchmarks/test_preflight.py

The hosts are scripted (scripted_hosts.py), in another process, 20 ms away, and take 2.5 s to measure as real ones do
when something is silent. What is timed is idcbench: connections, conversations, judging, and the start of Python.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

SERVER = Path(__file__).with_name("scripted_hosts.py")


@pytest.fixture(params=[3, 20, 100])
def inventory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    count = request.param
    command = [sys.executable, str(SERVER), str(tmp_path), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        roles = {last: "control-plane" if last <= 3 else "worker" for last in range(1, count + 1)}
        hosts = "".join(f"  h{last}: {{address: 127.1.1.{last}, groups: [{role}]}}\n" for last, role in roles.items())
        (tmp_path / "inventory.yaml").write_text(
            f"cluster:\n  name: bench\n  endpoint: {{address: 127.1.1.250}}\n"
            f"defaults: {{known_hosts: ./known_hosts, port: {port}}}\nhosts:\n{hosts}"
        )
        yield tmp_path / "inventory.yaml"
        server.stdin.close()


def test_check(benchmark: BenchmarkFixture, inventory: Path) -> None:
    command = [sys.executable, "-m", "idcbench.cli.main", "check", str(inventory)]

    def check() -> None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert " sound, 1 with notes, " in done.stdout, done.stdout

    benchmark.pedantic(check, rounds=3)
