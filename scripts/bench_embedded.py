#!/usr/bin/env python3
"""How long the embedded cluster takes to come, to come back, and to go; with the processor time spent on it.

    scripts/bench_embedded.py cold|restart|again|nodes [--rounds 20] [--control-planes 1,3] [--nodes N]

cold     from nothing: first write acknowledged by the endpoint, all members with leaders, and how long `down` takes
restart  the same from kept data
again    `idcbench up` on a cluster that is up
nodes    1,000 simulated nodes Ready, and how busy the machine is when nothing else goes on

Control-plane sizes alternate within one call, so that a slow hour of the machine meets all alike. The floor is the
processor time that the cluster had used when it was ready, divided by the processors: no order of starting beats it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tabulate import tabulate

from idcbench.cluster import ClusterSpec
from idcbench.provisioning.embedded.cluster import EmbeddedCluster
from idcbench.provisioning.embedded.target import EmbeddedTarget

TICKS_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20
CORES = len(os.sched_getaffinity(0))
Figures = dict[str, list[float]]


def members_of(supervisor: int) -> list[Path]:
    """The processes in the cluster's PID namespace."""
    wanted = os.readlink(f"/proc/{supervisor}/ns/pid")  # noqa: PTH115 - a magic link, no path
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "ns/pid") == wanted:  # noqa: PTH115 - a magic link, no path
                found.append(folder)
        except OSError:
            continue
    return found


def used(supervisor: int) -> tuple[float, float]:
    """Processor seconds, children that were reaped included, and resident MiB of the whole cluster."""
    cpu_s = memory_mib = 0.0
    for folder in members_of(supervisor):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            memory_mib += int((folder / "statm").read_text().split()[1]) * PAGE_MIB
        except OSError:
            continue
        cpu_s += sum(int(ticks) for ticks in fields[11:15]) * TICKS_S
    return cpu_s, memory_mib


async def measure(cluster: EmbeddedCluster, figures: Figures) -> None:
    milestones = cluster.record.milestones
    assert milestones is not None
    cpu_s, memory_mib = used(cluster.record.supervisor)
    figures["first write, s"].append(milestones.first_write_s)
    figures["members and leaders, s"].append(milestones.members_s)
    figures["processor time, s"].append(cpu_s)
    figures["floor, s"].append(cpu_s / CORES)
    figures["memory, MiB"].append(memory_mib)


async def cold(size: int, figures: Figures) -> None:
    async with EmbeddedTarget(name="bench").cluster(ClusterSpec(control_planes=size, nodes=0), keep=True) as cluster:
        await measure(cluster, figures)
    timed(["down", "--name", "bench"], figures["down, s"])


async def restart(size: int, figures: Figures) -> None:
    target = EmbeddedTarget(name=f"bench{size}")
    if target.state.read_record() is None:
        async with target.cluster(ClusterSpec(control_planes=size, nodes=0), keep=True):
            pass
        await target.stop()
    await measure(await target.start(), figures)
    began_s = time.monotonic()
    await target.stop()
    figures["stop, s"].append(time.monotonic() - began_s)


async def again(size: int, figures: Figures) -> None:
    name = f"bench{size}"
    if EmbeddedTarget(name=name).state.read_record() is None:
        subprocess.run(idcbench("up", "--name", name, "--control-planes", str(size), "--nodes", "0"), check=True)
    timed(["up", "--name", name], figures["up again, s"])


async def nodes(size: int, figures: Figures, *, count: int) -> None:
    spec = ClusterSpec(control_planes=size, nodes=count)
    async with EmbeddedTarget(name="bench").cluster(spec, keep=False) as cluster:
        milestones = cluster.record.milestones
        assert milestones is not None
        figures[f"{count} nodes Ready, s"].append(milestones.ready_s)
        await asyncio.sleep(30)  # not a condition: the measured pause in which the start's work ends
        before_s, window_s = used(cluster.record.supervisor)[0], 60.0
        await asyncio.sleep(window_s)
        cpu_s, memory_mib = used(cluster.record.supervisor)
        figures["machine busy when idle, %"].append((cpu_s - before_s) / window_s / CORES * 100)
        figures["memory, MiB"].append(memory_mib)


def idcbench(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "idcbench.cli.main", *arguments]


def timed(arguments: list[str], into: list[float]) -> None:
    began_s = time.monotonic()
    subprocess.run(idcbench(*arguments), check=True, stdout=subprocess.DEVNULL)
    into.append(time.monotonic() - began_s)


def show(results: dict[int, Figures]) -> None:
    rows = [
        (size, name, len(values), *(f"{value:.2f}" for value in (min(values), statistics.median(values), max(values))))
        for size, figures in sorted(results.items())
        for name, values in figures.items()
    ]
    print(tabulate(rows, headers=["members", "figure", "n", "min", "p50", "max"], disable_numparse=True))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cold", "restart", "again", "nodes"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--control-planes", default="1,3")
    parser.add_argument("--nodes", type=int, default=1000)
    given = parser.parse_args()
    results: dict[int, Figures] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory(prefix="idcbench-bench-", dir=Path.home()) as home:
        os.environ["XDG_STATE_HOME"] = home
        sizes = [int(size) for size in given.control_planes.split(",")]
        for number in range(given.rounds):
            for size in sizes:
                print(f"round {number + 1} of {given.rounds}, {size} members", file=sys.stderr, flush=True)
                figures = results[size]
                if given.what == "nodes":
                    await nodes(size, figures, count=given.nodes)
                else:
                    await {"cold": cold, "restart": restart, "again": again}[given.what](size, figures)
        for size in sizes:
            for name in ("bench", f"bench{size}"):
                await EmbeddedTarget(name=name).down()
    show(results)


if __name__ == "__main__":
    asyncio.run(main())
