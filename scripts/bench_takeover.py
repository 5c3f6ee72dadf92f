#!/usr/bin/env python3
"""How long no pod is bound when the scheduler that leads dies, or is told to stop.

    scripts/bench_takeover.py [--rounds 10] [--profile fast]

Brings up three members with a scheduler of idcbench on each, creates 50 pods a second that fit, and ends the one that
leads, by SIGKILL and by SIGTERM in turn. The time is the longest between two bindings, as a watch tells of them, from
then until another leads and binds. Between two rounds all schedulers get ready.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from contextlib import aclosing
from itertools import pairwise
from typing import get_args

from chaos_scheduler import ground_of, say, without_controllers
from tabulate import tabulate

from idcbench.choices import Profile
from idcbench.cluster import ClusterSpec
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch
from idcbench.provisioning.embedded.target import EmbeddedTarget
from idcbench.scheduler.bench import templates
from idcbench.scheduler.chaos.creating import create_nodes
from idcbench.scheduler.chaos.ground import SCHEDULER, Ground, host_of
from idcbench.scheduler.objects import Pod

PODS = "/api/v1/namespaces/default/pods"
INTERVAL_S = 0.02
LIMIT_S = 60.0


async def created(api: ApiSession, times: dict[str, float]) -> None:
    """Create pods for ever; ``times`` gets when each was sent."""
    number = 0
    while True:
        name = f"p-{number}"
        times[name] = time.monotonic()
        await api.post(PODS, templates.pod(name, requests={"cpu": "1m"}, limits=False))
        number += 1
        await asyncio.sleep(max(0.0, times[name] + INTERVAL_S - time.monotonic()))


async def watched(api: ApiSession, bound: dict[str, float]) -> None:
    """Follow the pods for ever; ``bound`` gets when each was heard to have a node."""
    async with aclosing(watch(api, Pod, PODS)) as events:
        async for event in events:
            if event.object.spec.node_name:
                bound.setdefault(event.object.metadata.name, event.received_ns / 1e9)


async def pause_s(ground: Ground, act: str, times: dict[str, float], bound: dict[str, float]) -> float:
    """End the leader; the longest time between two bindings, from then until another leads and binds."""
    host = await ground.leading_host()
    began_s = time.monotonic()
    if act == "SIGKILL":
        await ground.faults.kill(host, SCHEDULER)
    else:
        await ground.faults.stop(host, SCHEDULER)
    async with asyncio.timeout(LIMIT_S):
        while host_of(await ground.holder()) in ("", host):
            await asyncio.sleep(INTERVAL_S)
        led_s = time.monotonic()
        while not any(name in bound for name, sent_s in times.items() if sent_s > led_s):
            await asyncio.sleep(INTERVAL_S)
    if act == "SIGTERM":
        await ground.faults.start(host, SCHEDULER)
    each = sorted(at_s for at_s in bound.values() if at_s > began_s - 1.0)
    return max(after - before for before, after in pairwise(each))


async def measured(rounds: int, profile: Profile) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"SIGKILL": [], "SIGTERM": []}
    times: dict[str, float] = {}
    bound: dict[str, float] = {}
    spec = ClusterSpec(control_planes=3, nodes=0, scheduler="idcbench", profile=profile)
    async with (
        EmbeddedTarget(name=f"takeover-{os.getpid()}").cluster(spec, keep=False) as cluster,
        ApiSession(cluster.access, server=cluster.access.members, read_retries=20) as api,
    ):
        await without_controllers(cluster, api)
        await create_nodes(api, (templates.node(f"node-{number}", pods="5000") for number in range(10)))
        ground = ground_of(cluster, api)
        async with asyncio.TaskGroup() as group:  # whatever fails beside ends the measurement
            beside = [group.create_task(work) for work in (created(api, times), watched(api, bound))]
            for number in range(rounds):
                for act, each in found.items():
                    await ground.until_whole()
                    each.append(await pause_s(ground, act, times, bound))
                    say(f"{act}, round {number + 1}: {each[-1]:.2f} s")
            for task in beside:
                task.cancel()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--profile", choices=get_args(Profile), default="fast")
    given = parser.parse_args()
    found = asyncio.run(measured(given.rounds, given.profile))
    rows = [
        [act, len(each), f"{statistics.median(each):.2f}", f"{min(each):.2f}", f"{max(each):.2f}"]
        for act, each in found.items()
    ]
    print(tabulate(rows, headers=["signal", "n", "p50 s", "min", "max"], disable_numparse=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
