#!/usr/bin/env python3
"""How `idcbench up` grows with the number of hosts: scripted machines behind a slow line, two sizes in turn.

    scripts/bench_many_hosts.py [--hosts 10,100] [--rounds 5] [--latency-ms 20]

Each round makes a room of every size anew and runs `up`, and `up` again, which has to change nothing. Prints the time
of both, the ratio to the smallest size, and what the driver's memory grew by for each host more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

ROOM = Path(__file__).with_name("scripted_room")
DRIVER = (sys.executable, "-P", "-m", "idcbench.cli.main")


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """One run of the driver: how long it took, the most memory that it had at a time, and what it printed."""

    seconds: float
    memory_bytes: int
    output: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", default="10,100", type=lambda text: [int(each) for each in text.split(",")])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    given = parser.parse_args()
    found: dict[int, list[tuple[Driven, Driven]]] = {size: [] for size in given.hosts}
    for number in range(1, given.rounds + 1):
        for size in given.hosts:
            print(f"round {number} of {given.rounds}: {size} hosts", flush=True)
            found[size].append(one_round(size, given.latency_ms))
    report(found, given.rounds)


def one_round(size: int, latency_ms: float) -> tuple[Driven, Driven]:
    with tempfile.TemporaryDirectory(prefix="idcbench-room-") as folder, room(Path(folder), size, latency_ms):
        inventory = Path(folder) / "inventory.yaml"
        first, second = driven("up", str(inventory)), driven("up", str(inventory))
    if "plan: nothing to do" not in second.output:
        sys.exit(f"the second run with {size} hosts changed something:\n{second.output[-2000:]}")
    return first, second


@contextmanager
def room(folder: Path, size: int, latency_ms: float) -> Iterator[None]:
    """Scripted machines, until the block is left."""
    argv = [sys.executable, str(ROOM), str(folder), f"--hosts={size}", f"--latency-ms={latency_ms}"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            sys.exit("the scripted room did not come up")
        yield
        process.stdin.close()


def driven(*argv: str) -> Driven:
    """Run the driver to its end; exits with what it said when it fails."""
    began_s = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([*DRIVER, *argv], stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began_s
        output.seek(0)
        said = output.read()
    if process.returncode:
        sys.exit(f"idcbench {' '.join(argv)} ended with {process.returncode}:\n{said[-2000:]}")
    return Driven(seconds=seconds, memory_bytes=used.ru_maxrss * 1024, output=said)


def report(found: dict[int, list[tuple[Driven, Driven]]], rounds: int) -> None:
    smallest = min(found)
    base_s = statistics.median(first.seconds for first, _ in found[smallest])
    base_bytes = statistics.median(first.memory_bytes for first, _ in found[smallest])
    rows = []
    for size, pairs in found.items():
        times, again = [first.seconds for first, _ in pairs], [second.seconds for _, second in pairs]
        memory = statistics.median(first.memory_bytes for first, _ in pairs)
        more = "" if size == smallest else f"{(memory - base_bytes) / (size - smallest) / 2**20:.2f}"
        rows.append((size, spread(times), f"{statistics.median(times) / base_s:.2f}", spread(again),
                     f"{memory / 2**20:.0f}", more))  # fmt: skip
    headers = ["hosts", "up, s", "times the smallest", "again, s", "memory, MiB", "MiB for each host more"]
    print(tabulate(rows, headers=headers), f"\nn = {rounds}; median (min – max)")


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} – {max(values):.2f})"


if __name__ == "__main__":
    main()
