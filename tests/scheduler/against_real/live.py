"""Cases decided by a kube-scheduler process on a real API server, to hold the reference program against it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import msgspec
from cases import Case, make_case
from cases.case import incoming
from cases.draw import Json

from idcbench.cluster import ClusterSpec
from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession
from idcbench.provisioning.embedded.benching import BenchArena
from idcbench.provisioning.embedded.target import EmbeddedTarget

from .live_objects import THEMES, create, create_pod, snapshot
from .reference import Answer

DECIDE_LIMIT_S = 60.0
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class LiveDecision:
    """What kube-scheduler did with a pod. ``feasible`` is what it asked the extender about, empty when it did not."""

    feasible: tuple[str, ...]
    prioritized: tuple[str, ...]
    node: str
    message: str


@dataclass(slots=True)
class Calls:
    """What the extender was asked, by the pod's uid and the verb."""

    asked: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    async def follow(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            call = json.loads(line)
            self.asked[call["uid"], call["verb"]] = tuple(call["nodes"])


async def live_cases(*, name: str, seed: int, clusters: int, pods: int) -> AsyncIterator[tuple[Case, LiveDecision]]:
    """Pods that a kube-scheduler decides, one after the other, in clusters of random making.

    Each case holds what the API server had right before the pod was created, so the pods before it are in it. Pods
    that the API server does not take are passed over.
    """
    spec = ClusterSpec(control_planes=1, nodes=0, shape="bench")
    async with EmbeddedTarget(name=name).cluster(spec, keep=False) as cluster:
        arena = BenchArena(cluster)
        await arena.keep("empty")
        for number in range(clusters):
            await arena.restore("empty")
            rng = Random(f"live {seed} {number}")
            case = make_case(rng, f"live-{seed}-{number}", rng.sample(THEMES, 3))
            async with ApiSession(arena.access, timeout_s=10) as api:
                await create(api, case)
                async with scheduler_on(arena) as calls:
                    async for decided in _decided(api, calls, case, rng, pods=pods):
                        yield decided


async def _decided(
    api: ApiSession, calls: Calls, cluster: Case, rng: Random, *, pods: int
) -> AsyncIterator[tuple[Case, LiveDecision]]:
    names = [node["metadata"]["name"] for node in cluster["objects"]["nodes"]]
    volumes = cluster["pod"]["spec"].get("volumes", [])
    for number in range(pods):
        wanted = incoming(rng, names, set(rng.sample(THEMES, 3)))
        wanted["metadata"]["name"] = f"incoming-{number}"
        wanted["metadata"]["namespace"] = cluster["pod"]["metadata"]["namespace"]
        if number % 2:
            wanted["spec"]["volumes"] = volumes
        before = await snapshot(api)
        try:
            pod = await create_pod(api, wanted)
        except ApiError as error:
            if error.status not in (400, 403, 422):
                raise
            continue
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        decision = await _decision(api, calls, path, pod["metadata"]["uid"])
        yield {"id": f"{cluster['id']}-{number}", "objects": before, "pod": pod}, decision
        if not decision.node:
            await api.delete(path, {"gracePeriodSeconds": 0})


async def _decision(api: ApiSession, calls: Calls, path: str, uid: str) -> LiveDecision:
    async with asyncio.timeout(DECIDE_LIMIT_S):
        while True:
            pod: Json = msgspec.json.decode(await api.get(path))
            conditions = pod["status"].get("conditions", ())
            refused = [c["message"] for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False"]
            node = pod["spec"].get("nodeName", "")
            # a node is only chosen after the extender was asked; its line may still be on the way
            if refused or (node and (uid, "filter") in calls.asked):
                return LiveDecision(
                    feasible=calls.asked.get((uid, "filter"), ()),
                    prioritized=calls.asked.get((uid, "prioritize"), ()),
                    node=node,
                    message="" if node else refused[0],
                )
            await asyncio.sleep(POLL_S)


@contextlib.asynccontextmanager
async def scheduler_on(arena: BenchArena) -> AsyncIterator[Calls]:
    """kube-scheduler and an extender in the cluster's network; both are gone on leaving."""
    program = str(Path(__file__).parent / "extender.py")
    async with _process(arena, [sys.executable, "-u", program]) as extender:
        assert extender.stdout is not None
        port = int(await extender.stdout.readline())
        calls = Calls()
        following = asyncio.create_task(calls.follow(extender.stdout))
        path = arena.cluster.state.root / "with-extender.json"
        path.write_bytes(msgspec.json.encode(configuration(arena.scheduler_kubeconfig, port=port)))
        binary = Path(arena.cluster.record.binaries) / "kube-scheduler"
        try:
            async with _process(arena, [str(binary), f"--config={path}", "--secure-port=0"]):
                yield calls
        finally:
            following.cancel()


@contextlib.asynccontextmanager
async def _process(arena: BenchArena, argv: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *arena.command(argv),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def configuration(kubeconfig: Path, *, port: int) -> Json:
    """The default profile, every node looked at, and the extender."""
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": 5000, "burst": 5000},
        "percentageOfNodesToScore": 100,
        "extenders": [
            {
                "urlPrefix": f"http://127.0.0.1:{port}",
                "filterVerb": "filter",
                "prioritizeVerb": "prioritize",
                "weight": 1,
                "nodeCacheCapable": True,
            }
        ],
    }


def live_differences(decision: LiveDecision, answer: Answer) -> list[str]:
    """Where the reference program says otherwise than the process did."""
    found = []
    if decision.feasible != answer.feasible:
        found.append(f"feasible {answer.feasible}, really {decision.feasible}")
    if len(answer.feasible) > 1 and decision.prioritized != answer.feasible:
        found.append(f"scores {answer.feasible}, really {decision.prioritized}")
    best = answer.eligible(None) if len(answer.feasible) > 1 else answer.feasible  # none is created with a nomination
    if decision.node and decision.node not in best:
        found.append(f"best {sorted(best)} of {answer.totals}, really {decision.node}")
    if not decision.node and not decision.message.startswith(answer.message):
        found.append(f"says {answer.message!r}, really {decision.message!r}")
    return found
