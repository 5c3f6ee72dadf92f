#!/usr/bin/env python3
"""What watching costs the API server: the ceiling BE with and without watches of pods, alternating.

    scripts/bench_ceiling_watch.py [--row basic-5000] [--rounds 5] [--watches 1] [--scale 1.0]

The lean client of `idcbench bench scheduler` writes a binding and an event per pod and watches nothing. A scheduler has
to watch pods, and hears of each one that is bound: the server encodes, encrypts and sends it. Here the watches are held
by a process that reads and drops what comes, so what is lost is the server's work, and a little of the kernel's.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event

from idcbench.cluster import ClusterSpec
from idcbench.kube.access import Access
from idcbench.kube.connection import Endpoint
from idcbench.measure.load import connect
from idcbench.measure.statistics import paired_ratio
from idcbench.provisioning.embedded.benching import BenchArena
from idcbench.provisioning.embedded.target import EmbeddedTarget
from idcbench.scheduler.bench import ceiling, creating
from idcbench.scheduler.bench.arena import Arena
from idcbench.scheduler.bench.rows import ROWS
from idcbench.scheduler.bench.workload import Workload

NAME = "ceiling-watch"
PATH = "/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=0"
CONNECTIONS = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", default="basic-5000", choices=sorted(ROWS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--watches", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    asyncio.run(measure(ROWS[given.row].scaled(given.scale).workload(), given.rounds, given.watches))


async def measure(workload: Workload, rounds: int, watches: int) -> None:
    """Print each round and the ratio of the pairs."""
    spec = ClusterSpec(name=NAME, control_planes=1, nodes=0, shape="bench")
    async with EmbeddedTarget(name=NAME).cluster(spec, keep=False) as cluster:
        arena = BenchArena(cluster)
        await creating.create(arena.access, workload)
        await arena.keep(workload.name)
        rates: dict[bool, list[float]] = {False: [], True: []}
        for number in range(rounds):
            for watched in random.Random(number).sample([False, True], 2):
                rates[watched].append(await one_round(arena, workload, watches * watched))
            print(f"{number + 1}: {rates[False][-1]:.0f} pods/s, {rates[True][-1]:.0f} with {watches} watched")
    found = paired_ratio(rates[True], rates[False])
    assert found is not None
    interval = f" ({found.low:.3f}–{found.high:.3f})" if found.low is not None else ""
    print(f"{statistics.median(rates[False]):.0f} pods/s, watched {found.median:.3f} of it{interval}, n = {found.n}")


async def one_round(arena: Arena, workload: Workload, watches: int) -> float:
    """Pods a second, of the whole workload from its kept state."""
    await arena.restore(workload.name)
    with watching(arena.access, watches):
        return (await ceiling.whole(arena, workload, "BE", connections=CONNECTIONS)).rate


@contextmanager
def watching(access: Access, watches: int) -> Iterator[None]:
    """So many watches are open, in a process of their own."""
    context = multiprocessing.get_context("spawn")
    open_now = context.Event()
    process = context.Process(target=watch, args=(access, watches, open_now), daemon=True)
    if watches:
        process.start()
        if not open_now.wait(30):
            raise SystemExit("no watch was open after 30 s; its error is above")
    try:
        yield
    finally:
        if watches:
            process.kill()
            process.join()


def watch(access: Access, watches: int, open_now: Event) -> None:
    """Read and drop, for ever."""

    async def one(endpoint: Endpoint) -> None:
        connection = await connect(endpoint, access)
        request = endpoint.request("GET", PATH, headers=access.headers())
        await connection.exchange(request, on_body=lambda _: open_now.set())

    async def every() -> None:
        await asyncio.gather(*(one(Endpoint.of(access.server, access)) for _ in range(watches)))

    asyncio.run(every())


if __name__ == "__main__":
    main()
