"""Schedulers on a real control plane, killed, frozen and stopped: every pod is bound once, nothing overcommitted."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from little_engine import LittleEngine

from idcbench.cluster import ClusterSpec
from idcbench.kube.listing import list_all
from idcbench.kube.objects import Event
from idcbench.kube.session import ApiSession
from idcbench.provisioning.embedded.target import EmbeddedTarget
from idcbench.scheduler.objects import Pod
from idcbench.scheduler.service.measures import Tally
from idcbench.scheduler.service.service import SchedulerService
from idcbench.scheduler.service.settings import ServiceSettings

HERE = Path(__file__).parent
PODS = "/api/v1/namespaces/default/pods"
EVENTS = "/api/v1/namespaces/default/events"
NODES, PODS_A_NODE = 10, 100


class Scheduler:
    """One process; ``said`` is what it wrote on standard output, with the time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[tuple[str, float]] = []
        self._reading = asyncio.create_task(self._read())

    async def until(self, word: str, *, within_s: float = 30.0) -> float:
        """When it says ``word`` next, or said it last."""
        async with asyncio.timeout(within_s):
            while not self.said or self.said[-1][0] != word:
                await asyncio.sleep(0.005)
        return self.said[-1][1]

    def send(self, number: int) -> float:
        self.process.send_signal(number)
        return time.monotonic()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append((line.decode().strip(), time.monotonic()))


@asynccontextmanager
async def scheduler(access: Path, identity: str) -> AsyncIterator[Scheduler]:
    log = (access.parent / f"{identity}.log").open("ab")
    process = await asyncio.create_subprocess_exec(
        sys.executable, HERE / "process.py", access, identity, stdout=asyncio.subprocess.PIPE, stderr=log
    )
    started = Scheduler(process)
    try:
        yield started
    finally:
        log.close()
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        await process.wait()


def node(number: int) -> dict[str, Any]:
    room = {"cpu": str(PODS_A_NODE // 10), "pods": "110", "memory": "1Gi"}
    return {"metadata": {"name": f"node-{number}"}, "status": {"capacity": room, "allocatable": room}}


def pod(name: str) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "100m"}}}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}}


async def create(api: ApiSession, kind: str, count: int) -> None:
    slots = asyncio.Semaphore(16)

    async def one(number: int) -> None:
        async with slots:
            await api.post(PODS, pod(f"{kind}-{number}"))

    await asyncio.gather(*(one(number) for number in range(count)))


async def bound(api: ApiSession, count: int) -> Counter[str]:
    """Wait until so many pods have nodes; how many each node has."""
    async with asyncio.timeout(60):
        while True:
            pods = (await list_all(api, Pod, PODS)).items
            placed = Counter(each.spec.node_name for each in pods if each.spec.node_name)
            if sum(placed.values()) >= count:
                return placed
            await asyncio.sleep(0.1)


@pytest.mark.integration
async def test_leaders_that_die_freeze_and_stop(tmp_path: Path) -> None:
    target = EmbeddedTarget(name=f"test-service-{os.getpid()}")
    spec = ClusterSpec(control_planes=1, nodes=0, shape="bench")
    access = tmp_path / "access"
    async with target.cluster(spec, keep=False) as cluster, ApiSession(cluster.access) as api:
        access.write_bytes(pickle.dumps(cluster.access))
        for number in range(NODES):
            await api.post("/api/v1/nodes", node(number))
        async with scheduler(access, "a") as a, scheduler(access, "b") as b:
            await asyncio.wait(
                {asyncio.create_task(each.until("leading")) for each in (a, b)}, return_when="FIRST_COMPLETED"
            )
            leader, follower = (a, b) if ("leading" in [word for word, _ in a.said]) else (b, a)
            creating = asyncio.create_task(create(api, "killed", 300))
            await bound(api, 100)
            killed_s = leader.send(signal.SIGKILL)
            took_s = await follower.until("leading") - killed_s
            await creating
            await bound(api, 300)
            async with scheduler(access, "c") as c:
                await c.until("filled")
                creating = asyncio.create_task(create(api, "frozen", 300))
                await bound(api, 400)
                follower.send(signal.SIGSTOP)
                await c.until("leading")
                await create(api, "beside", 100)
                follower.send(signal.SIGCONT)
                await creating
                await bound(api, 700)
                await follower.until("following")
                creating = asyncio.create_task(create(api, "handed", 300))
                await bound(api, 750)
                told_s = c.send(signal.SIGTERM)
                handed_s = await follower.until("leading") - told_s
                await creating
                placed = await bound(api, 1000)
                await c.process.wait()
                assert c.process.returncode == 0
        assert placed == {f"node-{number}": PODS_A_NODE for number in range(NODES)}
        events = [each for each in (await list_all(api, Event, EVENTS)).items if each.reason == "Scheduled"]
        told = Counter(each.involved_object.uid for each in events)
        assert set(told.values()) == {1}  # only a leader that is killed takes events with it
        assert len(told) >= 1000 - 300
    print(json.dumps({"takeover after kill, s": took_s, "after SIGTERM, s": handed_s, "events": len(told)}))


@pytest.mark.integration
async def test_api_servers_that_are_killed_lose_nothing() -> None:
    target = EmbeddedTarget(name=f"test-service-api-{os.getpid()}")
    async with (
        target.cluster(ClusterSpec(control_planes=1, nodes=0, shape="bench"), keep=False) as cluster,
        ApiSession(cluster.access, read_retries=20) as api,
    ):
        for number in range(NODES):
            await api.post("/api/v1/nodes", node(number))
        await create(api, "p", 600)
        faults, (host,) = cluster.faults, cluster.hosts
        assert faults is not None
        tally, stop = Tally(), asyncio.Event()
        service = SchedulerService(cluster.access, LittleEngine(), ServiceSettings(), tally)
        run = asyncio.create_task(service.run(stop))
        for least in (50, 300):
            async with asyncio.timeout(60):
                while tally.counts.get("binding bound", 0) < least:
                    await asyncio.sleep(0.005)
            await faults.kill(host.name, "kube-apiserver")
        placed = await bound(api, 600)
        async with asyncio.timeout(60):
            while tally.counts.get("event Scheduled", 0) < 600:
                await asyncio.sleep(0.05)
        assert tally.counts["binding bound"] == 600
        assert max(placed.values()) <= PODS_A_NODE
        assert service.gauges().bindings_in_flight == 0
        async with asyncio.timeout(30):  # the watch, cut with the server, has to hear of the last ones
            while service.gauges().assumed_pods:
                await asyncio.sleep(0.05)
        events = [each for each in (await list_all(api, Event, EVENTS)).items if each.reason == "Scheduled"]
        assert set(Counter(each.involved_object.uid for each in events).values()) == {1}
        assert len(events) == 600
        stop.set()
        await run
