"""What processes use, and what that says about a bound."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from idcbench.measure.bounding import OTHERS, Meter, bound_of, machine_seconds
from idcbench.measure.processes import cpu_seconds, usage

BUSY = """
import time
began = time.process_time()
while time.process_time() - began < 0.2: pass
print('done', flush=True)
input()
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"


@pytest.mark.parametrize("script", [BUSY, PARENT], ids=["itself", "a child that lives"])
def test_usage_counts_the_family(script: str) -> None:
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        found = usage(process.pid)
        process.communicate(b"\n")
    assert 0.2 <= found.cpu_s < 2
    assert found.peak_bytes > 2**20


def test_a_process_that_is_gone_uses_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert (usage(gone.pid).cpu_s, usage(gone.pid).peak_bytes) == (0.0, 0)
    with pytest.raises(OSError, match="No such"):
        cpu_seconds(gone.pid)


def test_a_meter_knows_who_was_busy() -> None:
    meter = Meter.start({"me": os.getpid()})
    before_s = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) - before_s < 0.1:
        pass
    cores = meter.cores()
    assert set(cores) == {"me", OTHERS}
    assert 0 < cores["me"] < 1.5


def test_machine_seconds_are_all_but_idle_and_waiting(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 20 30 9999 8888 4 5 6 7 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
    assert machine_seconds(stat) == pytest.approx(165 / os.sysconf("SC_CLK_TCK"))


@pytest.mark.parametrize(
    ("cores", "bound"),
    [
        ({"client": 0.3, "server": 1.6}, "the processors: 1.90 of 2 busy (server 1.60, client 0.30)"),
        ({"client": 0.95, "server": 0.5}, "the client, which has one thread (client 0.95, server 0.50)"),
        ({"client": 0.2, "server": 0.5}, "waiting: 0.70 of 2 processors busy (server 0.50, client 0.20)"),
    ],
)
def test_the_bound_in_words(cores: dict[str, float], bound: str) -> None:
    assert bound_of(cores, available=2, single_threaded="client") == bound
