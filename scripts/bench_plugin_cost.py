#!/usr/bin/env python3
"""What idcbench's entry point adds to every start of pytest: paired rounds, with and without it.

    .venv/bin/python scripts/bench_plugin_cost.py [ROUNDS]

Each round starts pytest twice in a row, once with idcbench's distribution hidden from importlib.metadata (so pytest
neither loads its entry point nor marks its files for assertion rewriting), in alternating order; the difference of the
two is one sample, in wall time and in CPU time (user and system), which a busy machine disturbs less. Distributions
that idcbench requires and that have pytest plugins of their own are measured apart; all others with plugins are hidden.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tabulate import tabulate

ROUNDS = 20
STARTER = """
import importlib.metadata, sys
real, hidden = importlib.metadata.distributions, sys.argv[1].split(",")
importlib.metadata.distributions = lambda **how: [each for each in real(**how) if each.name not in hidden]
import pytest
sys.exit(pytest.main(sys.argv[2:]))
"""
CASES = {"pytest --help": ["--help"], "pytest -q, one empty test": ["-q", "-p", "no:cacheprovider", "test_empty.py"]}


def with_plugins(name: str) -> list[str]:
    """``name`` and what it requires by itself, as far as they have pytest plugins."""
    required = [re.split(r"[^A-Za-z0-9._-]", line)[0] for line in metadata.requires(name) or () if "extra" not in line]
    names = [name, *(each for each in required if each != "pytest")]
    return [each for each in names if metadata.distribution(each).entry_points.select(group="pytest11")]


def strangers(ours: list[str]) -> list[str]:
    """Distributions with pytest plugins that are there for other reasons."""
    there = {each.name for each in metadata.distributions() if each.entry_points.select(group="pytest11")}
    return sorted(there - set(ours))


@dataclass(frozen=True, slots=True)
class Took:
    """How long one pytest took from its start to its end."""

    wall_ms: float
    cpu_ms: float


def start(folder: Path, hidden: list[str], args: list[str]) -> Took:
    """Start one pytest and wait for it. Raises ``CalledProcessError``."""
    began, before = time.perf_counter(), os.times()
    argv = [sys.executable, "-c", STARTER, ",".join(hidden), *args]
    subprocess.run(argv, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Took((time.perf_counter() - began) * 1000, cpu_s * 1000)


def sample(started: Callable[[bool], Took], *, with_first: bool) -> Took:
    """With less without."""
    took = {present: started(present) for present in (with_first, not with_first)}
    return Took(took[True].wall_ms - took[False].wall_ms, took[True].cpu_ms - took[False].cpu_ms)


def measure(folder: Path, rounds: int) -> list[list[object]]:
    """A row per distribution and case."""
    rows: list[list[object]] = []
    ours = with_plugins("idcbench")
    others = strangers(ours)
    for name in ours:
        for case, args in CASES.items():

            def started(present: bool, name: str = name, args: list[str] = args) -> Took:
                return start(folder, others if present else [*others, name], args)

            started(True), started(False)  # byte code is written, files are cached
            samples = [sample(started, with_first=number % 2 == 0) for number in range(rounds)]
            wall, cpu = [one.wall_ms for one in samples], [one.cpu_ms for one in samples]
            quartiles = statistics.quantiles(wall, n=4)
            rows.append(
                [name, case, rounds, statistics.median(wall), quartiles[0], quartiles[2], statistics.median(cpu)]
            )
    return rows


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_empty.py").write_text("def test_empty():\n    pass\n")
        rows = measure(Path(folder), rounds)
    headers = ["distribution", "case", "n", "ms more, p50", "p25", "p75", "CPU ms more, p50"]
    print(tabulate(rows, headers=headers, tablefmt="github", floatfmt=".1f"))
    print(f"\n{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, pytest {metadata.version('pytest')}")


if __name__ == "__main__":
    main()
