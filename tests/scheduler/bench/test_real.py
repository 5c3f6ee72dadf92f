"""Against the real thing: rounds of kube-scheduler, and that what is refused in memory is refused there too."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from idcbench.cluster import ClusterSpec
from idcbench.kube.session import ApiSession
from idcbench.provisioning.embedded.benching import BenchArena
from idcbench.provisioning.embedded.target import EmbeddedTarget
from idcbench.scheduler.bench import arrival, ceiling, creating, drain
from idcbench.scheduler.bench.arena import Arena
from idcbench.scheduler.bench.contenders import Command, KubeScheduler
from idcbench.scheduler.bench.memory import EMPTY, memory_arena
from idcbench.scheduler.bench.rows import ROWS
from idcbench.scheduler.bench.workload import Workload

from .asking import ask
from .requests_table import PODS, REQUESTS, binding

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]


@dataclass(frozen=True)
class Real:
    arena: BenchArena
    kube: KubeScheduler


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Real]:
    """A cluster in the bench shape, with the kept state ``empty``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        spec = ClusterSpec(control_planes=1, nodes=0, shape="bench")
        async with EmbeddedTarget(name="bench-tests").cluster(spec, keep=False) as cluster:
            arena = BenchArena(cluster)
            await arena.keep(EMPTY)
            yield Real(arena, KubeScheduler(Path(cluster.record.binaries) / "kube-scheduler"))


async def prepared(arena: Arena, row: str, *, scale: float = 0.01) -> Workload:
    workload = ROWS[row].scaled(scale).workload()
    await arena.restore(EMPTY)
    await creating.create(arena.access, workload)
    await arena.keep(workload.name)
    return workload


async def test_the_real_one_answers_as_the_table_says(real: Real) -> None:
    await real.arena.restore(EMPTY)
    found = {asked.name: (await ask(real.arena.access, asked))[0] for asked in REQUESTS}
    assert found == {asked.name: asked.status for asked in REQUESTS}


@pytest.mark.parametrize("row", ["basic-500", "pod-anti-affinity", "gangs-of-3", "preemption"])
async def test_a_round_of_kube_scheduler(real: Real, tmp_path: Path, row: str) -> None:
    workload = await prepared(real.arena, row)
    done = await drain.drain(real.arena, workload, real.kube, folder=tmp_path, pair=1)
    assert (done.bound, done.events_missing) == (workload.pods, 0)
    assert 0 < done.cpu_ms_per_pod < 100
    assert done.peak_memory_bytes > 20e6
    assert {"scheduler", "kube-apiserver", "etcd"} <= set(done.cores)


@pytest.mark.parametrize("row", ["spreading", "gangs-of-3", "churn"])
async def test_kube_scheduler_takes_the_one_in_memory_for_real(
    real: Real, fakeapi: Path, tmp_path: Path, row: str
) -> None:
    async with memory_arena(fakeapi, folder=tmp_path, log=tmp_path / "fakeapi.log") as memory:
        workload = await prepared(memory, row)
        done = await drain.drain(memory, workload, real.kube, folder=tmp_path, pair=1)
    assert (done.bound, done.events_missing) == (workload.pods, 0)


async def test_every_round_begins_in_the_same_state(real: Real) -> None:
    workload = await prepared(real.arena, "basic-500")
    for _ in range(2):
        await real.arena.restore(workload.name)
        async with ApiSession(real.arena.access) as api:
            await api.post(f"{PODS}/measured-00000/binding", binding("measured-00000", "node-00000"))


async def test_ceilings_and_arrivals(real: Real, tmp_path: Path) -> None:
    workload = await prepared(real.arena, "basic-500")
    bindings, both = await ceiling.measure(real.arena, workload)
    assert (bindings.kind, both.kind) == ("B", "BE")
    assert bindings.rate > 0 < both.rate
    bare = ceiling.without_pods(workload)
    await real.arena.restore(EMPTY)
    await creating.create(real.arena.access, bare)
    await real.arena.keep(bare.name)
    done = await arrival.arrive(
        real.arena, workload, real.kube, folder=tmp_path, pair=1, share=0.5, rate=20, duration_s=1
    )
    assert done.pods == 20
    assert done.p50_ms is not None
    assert done.p50_ms < 10_000


async def test_a_scheduler_that_ends_fails_its_round(real: Real, tmp_path: Path) -> None:
    workload = await prepared(real.arena, "basic-500")
    with pytest.raises(drain.RoundError, match=r"ended with 3, 0 of 100 pods bound(.|\n)*no luck"):
        await drain.drain(
            real.arena, workload, Command("x", ("sh", "-c", "echo no luck; exit 3")), folder=tmp_path, pair=1
        )


async def test_a_wrong_placement_fails_its_round(real: Real, tmp_path: Path) -> None:
    """All pods of a row that spreads are put on one node by a scheduler that knows no better."""
    workload = await prepared(real.arena, "spreading", scale=0.002)
    script = tmp_path / "wrong.py"
    script.write_text(WRONG)
    command = Command("wrong", (sys.executable, str(script), "{kubeconfig}", str(workload.pods)))
    with pytest.raises(drain.RoundError, match="maxSkew is 5"):
        await drain.drain(real.arena, workload, command, folder=tmp_path, pair=1)


WRONG = """
import asyncio, sys
from pathlib import Path
from idcbench.kube.kubeconfig import access_from_kubeconfig
from idcbench.kube.session import ApiSession

async def main():
    async with ApiSession(access_from_kubeconfig(Path(sys.argv[1]))) as api:
        for number in range(int(sys.argv[2])):
            name = f"measured-{number:05d}"
            body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"name": "node-00000"}}
            await api.post(f"/api/v1/namespaces/default/pods/{name}/binding", body)
    await asyncio.Event().wait()

asyncio.run(main())
"""
