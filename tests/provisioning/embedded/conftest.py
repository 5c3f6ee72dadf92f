"""Fixtures for the embedded target: state of its own, and one real cluster shared by the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from idcbench.cluster import ClusterSpec
from idcbench.provisioning.embedded.cluster import EmbeddedCluster
from idcbench.provisioning.embedded.target import EmbeddedTarget


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for state directories."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedCluster]:
    """Three members and a few nodes, for the whole session; a test puts back what it breaks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        async with EmbeddedTarget(name="tests").cluster(ClusterSpec(nodes=5, profile="fast"), keep=False) as made:
            yield made


async def until(holds: Callable[[], Awaitable[object]], *, limit_s: float = 30.0) -> None:
    """Wait for a coroutine function to give something true."""
    async with asyncio.timeout(limit_s):
        while not await holds():
            await asyncio.sleep(0.1)
