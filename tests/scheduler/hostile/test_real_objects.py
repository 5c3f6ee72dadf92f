"""A real API server and everything odd that it takes: the scheduler lives on, places what it can, tells the rest."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession
from idcbench.provisioning.embedded.benching import BenchArena
from idcbench.scheduler.bench import reading
from idcbench.scheduler.bench.checker import check

from . import flapping
from .bad_objects import HUGE, NODES, PODS, BadNode, BadPod, Manifest, container, node_status
from .conftest import scheduler

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),  # of aiohttp, for bodies over 1 MiB
]

POD_PATH, NODE_PATH, EVENT_PATH = "/api/v1/namespaces/default/pods", "/api/v1/nodes", "/apis/events.k8s.io/v1/events"
FINE, GOOD = 50, 5


async def refused(api: ApiSession, path: str, manifest: Manifest) -> bool:
    try:
        await api.post(path, manifest)
    except ApiError as error:
        if error.status in (400, 403, 413, 422):
            return True
        raise
    return False


async def unlike_the_table(api: ApiSession) -> list[str]:
    """The pods that are not (yet) as the table says, with what was told of them last."""
    pods = {pod["metadata"]["name"]: pod for pod in json.loads(await api.get(POD_PATH))["items"]}
    told: dict[str, list[str]] = {}
    for event in json.loads(await api.get(EVENT_PATH))["items"]:
        told.setdefault(event["regarding"]["name"], []).append(event.get("note", ""))
    wrong = []
    for bad in (*PODS, *fine(), *of_nodes(), *beyond()):
        if bad.refused:
            continue
        node, notes = pods[bad.name]["spec"].get("nodeName"), told.get(bad.name, [])
        if bool(node) is not bad.placed or (bad.waits and not any(bad.waits in note for note in notes)):
            wrong.append(f"{bad.name[:40]}: node {node}, told {notes[-1:]}")
    return wrong


def fine() -> list[BadPod]:
    """Nothing is wrong with these."""
    return [BadPod(f"fine-{i}", {"nodeSelector": {"good": "yes"}}, placed=True) for i in range(FINE)]


def of_nodes() -> list[BadPod]:
    """One for each node of the table, which goes nowhere else."""
    return [
        BadPod(f"at-{bad.name[:63]}", {"nodeSelector": {"name": bad.name[:63]}}, placed=bad.takes)
        for bad in NODES
        if not bad.refused
    ]


def beyond() -> list[BadPod]:
    """Put on nodes by others, with requests whose sum is beyond 64 bits; nothing has room beside them."""
    asked = {"containers": [container(cpu="9E", memory=str(HUGE))]}
    forced = [BadPod(f"forced-{i}", asked | {"nodeName": "forced"}, placed=True) for i in range(2)]
    return [
        *forced,
        BadPod("beside", {"nodeSelector": {"name": "forced"}}, waits="Insufficient cpu"),
        BadPod("nowhere", {"nodeName": "no-such-node"}, placed=True),
    ]


async def test_what_the_api_server_takes(arena: BenchArena, tmp_path: Path) -> None:
    log = tmp_path / "scheduler.log"
    async with ApiSession(arena.access, timeout_s=30.0) as api:
        good = [BadNode(f"good-{i}", node_status(), labels={"good": "yes", "zone": f"z{i}"}) for i in range(GOOD)]
        for node in (*good, BadNode("forced", node_status()), *NODES):
            assert await refused(api, NODE_PATH, node.manifest()) is node.refused, node.name
        async with scheduler(arena, log):
            for pod in (*PODS, *beyond()[:2], *beyond()[2:], *fine(), *of_nodes()):
                assert await refused(api, POD_PATH, pod.manifest()) is pod.refused, pod.name
            async with asyncio.timeout(60):
                while wrong := await unlike_the_table(api):
                    await asyncio.sleep(0.5)
                    latest = wrong
        assert not wrong, latest
    found = await reading.read(arena.access)
    forced = {"forced", "no-such-node"}
    objections = check(found.nodes, [pod for pod in found.pods if pod.spec.node_name not in forced], found.groups)
    assert not objections


async def test_nodes_that_flap(arena: BenchArena, tmp_path: Path) -> None:
    names = [f"node-{i}" for i in range(60)] + [f"{flapping.BARRED}-{i}" for i in range(5)]
    async with ApiSession(arena.access, timeout_s=30.0) as api:
        await flapping.settle(api, names)
        async with scheduler(arena, tmp_path / "scheduler.log"):
            flaps = asyncio.create_task(flapping.flap(api, names, for_s=8.0, each_s=0.05, seed=1))
            for number in range(500):
                pod = BadPod(f"p{number}", {"containers": [container(cpu="100m")]})
                assert not await refused(api, POD_PATH, pod.manifest())
            assert await flaps > 80
            await flapping.settle(api, names)
            async with asyncio.timeout(60):
                while True:
                    found = await reading.read(arena.access)
                    if all(pod.spec.node_name for pod in found.pods):
                        break
                    await asyncio.sleep(0.5)
    assert not check(found.nodes, found.pods, found.groups)
    placed = Counter(pod.spec.node_name for pod in found.pods)
    assert sum(placed.values()) == 500
    assert max(placed.values()) <= 10
    assert not [name for name in placed if name.startswith(flapping.BARRED)]
