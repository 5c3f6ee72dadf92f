"""How schedulers are started, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from idcbench.errors import UsageError
from idcbench.scheduler.bench.contenders import Command, KubeScheduler, parsed, running
from idcbench.scheduler.bench.memory import MemoryArena


@pytest.fixture
def arena(tmp_path: Path) -> MemoryArena:
    return MemoryArena(tmp_path / "none", tmp_path, tmp_path / "log")


def test_kube_scheduler_gets_its_limits_and_the_arenas_encoding(arena: MemoryArena, tmp_path: Path) -> None:
    argv = KubeScheduler(Path("/bin/kube-scheduler")).argv(arena, tmp_path, gangs=False)
    config = json.loads((tmp_path / "kube-scheduler.json").read_text())
    assert argv == ["/bin/kube-scheduler", f"--config={tmp_path}/kube-scheduler.json", "--secure-port=0"]
    client = config["clientConnection"]
    assert (client["qps"], client["burst"], client["contentType"]) == (5000, 5000, "application/json")
    assert config["leaderElection"] == {"leaderElect": False}
    assert "profiles" not in config
    assert "--feature-gates=GenericWorkload=true" in KubeScheduler(Path("x")).argv(arena, tmp_path, gangs=True)


def test_a_command_gets_what_it_asks_for(arena: MemoryArena, tmp_path: Path) -> None:
    command = parsed("mine=./mine --kubeconfig {kubeconfig} --as {content_type}")
    assert command.name == "mine"
    assert command.argv(arena, tmp_path, gangs=False) == [
        *("./mine", "--kubeconfig", str(tmp_path / "memory.conf"), "--as", "application/json")
    ]


@pytest.mark.parametrize("text", ["mine", "mine=", "=./mine"])
def test_a_command_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="NAME=COMMAND"):
        parsed(text)


async def test_what_a_scheduler_started_ends_with_it(arena: MemoryArena, tmp_path: Path) -> None:
    command = Command("parent", ("sh", "-c", "sleep 1000 & echo $!; wait"))
    async with running(command, arena, tmp_path, gangs=False) as scheduler:
        while not scheduler.log.read_text().strip():
            await asyncio.sleep(0.01)
        child = int(scheduler.log.read_text())
        assert scheduler.usage().peak_bytes > 0
    assert scheduler.ended
    async with asyncio.timeout(10):  # it was killed; the kernel takes its time
        while _lives(child):
            await asyncio.sleep(0.01)


def _lives(pid: int) -> bool:
    """Whether it still runs; what was killed and has no parent to reap it yet does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


async def test_last_words(arena: MemoryArena, tmp_path: Path) -> None:
    async with running(Command("brief", ("sh", "-c", "echo one; echo two")), arena, tmp_path, gangs=False) as scheduler:
        await scheduler.process.wait()
        assert scheduler.last_words(1) == "two"
