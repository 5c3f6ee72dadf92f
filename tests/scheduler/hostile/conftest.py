"""One real API server for this folder, with a state that is empty, and our scheduler beside it as a process."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from idcbench.cluster import ClusterSpec
from idcbench.provisioning.embedded.benching import BenchArena
from idcbench.provisioning.embedded.target import EmbeddedTarget

RUN = (sys.executable, "-m", "idcbench.cli.main", "scheduler", "run", "--no-leader-elect", "--secure-port", "0")
EMPTY = "empty"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BenchArena]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        spec = ClusterSpec(control_planes=1, nodes=0, shape="bench")
        async with EmbeddedTarget(name="hostile-tests").cluster(spec, keep=False) as made:
            arena = BenchArena(made)
            await arena.keep(EMPTY)
            yield arena


@pytest_asyncio.fixture(loop_scope="session")
async def arena(cluster: BenchArena) -> BenchArena:
    """The cluster, empty."""
    await cluster.restore(EMPTY)
    return cluster


@asynccontextmanager
async def scheduler(arena: BenchArena, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Our scheduler, ended in good order at the end. Fails when it ended before, or logged an error."""
    with log.open("wb") as output:
        command = arena.command([*RUN, "--kubeconfig", str(arena.scheduler_kubeconfig)])
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
    try:
        yield process
        assert process.returncode is None, log.read_text()[-3000:]
        process.terminate()
        async with asyncio.timeout(20):
            assert await process.wait() == 0
        assert '"level":"error"' not in log.read_text()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
