"""The in-memory API server as a process, for the tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from idcbench.provisioning.artifacts.own_go import own_program
from idcbench.scheduler.bench.memory import EMPTY, SOURCES, MemoryArena, memory_arena


@pytest.fixture(scope="session")
def fakeapi() -> Path:
    """The program; compiled when its sources are new, which takes some seconds."""
    if shutil.which("go") is None and not Path("/usr/local/go/bin/go").exists():
        pytest.skip("there is no Go to compile the in-memory API server with")
    return own_program(SOURCES)


@pytest_asyncio.fixture
async def memory(fakeapi: Path, tmp_path: Path) -> AsyncIterator[MemoryArena]:
    """An arena in memory that serves, empty."""
    async with memory_arena(fakeapi, folder=tmp_path, log=tmp_path / "fakeapi.log") as arena:
        await arena.restore(EMPTY)
        yield arena
