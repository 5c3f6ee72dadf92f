"""From nothing to a cluster and back: kept ones, stale ones, two at once, and what is refused."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from idcbench.cluster import ClusterSpec
from idcbench.errors import ClusterError, UsageError
from idcbench.provisioning.embedded.layout import StateDirectory
from idcbench.provisioning.embedded.target import EmbeddedTarget, check_same, checked

SMALL = ClusterSpec(control_planes=1, nodes=2)


@pytest.mark.integration
async def test_a_cluster_is_kept_reused_stopped_started_and_removed(state_home: Path) -> None:
    target = EmbeddedTarget(name="life")
    async with target.cluster(SMALL, keep=True) as made:
        assert made.facts.ready_s
    async with target.cluster(SMALL, keep=False) as again:
        assert again.facts.reused
        assert again.facts.ready_s is None
    assert target.state.is_alive(), "what was kept stays, whoever used it meanwhile"
    with pytest.raises(UsageError, match="is there with --nodes 2, not 3"):
        async with target.cluster(ClusterSpec(nodes=3, asked=frozenset({"nodes"})), keep=True):
            pass
    await target.stop()
    assert not target.state.is_alive()
    with pytest.raises(ClusterError, match="stopped already"):
        await target.stop()
    started = await target.start()
    assert started.record.spec.nodes == 2
    assert await target.down()
    assert not list((state_home / "idcbench").iterdir())


@pytest.mark.integration
async def test_two_at_once_are_kept_apart(state_home: Path) -> None:  # noqa: ARG001
    target = EmbeddedTarget(name="once")
    with target.state.locked(), pytest.raises(ClusterError, match=rf"worked on by pid {os.getpid()} since"):
        await target.down()


async def test_a_stale_directory_is_cleared(state_home: Path) -> None:  # noqa: ARG001
    target = EmbeddedTarget(name="stale")
    target.state.create()
    (target.state.root / "cluster.json").write_text("{half a line")
    assert await target.down()
    assert not target.state.root.exists()


@pytest.mark.integration
async def test_a_command_that_dies_before_ready_takes_the_cluster_with_it(state_home: Path) -> None:  # noqa: ARG001
    target = EmbeddedTarget(name="dies")
    command = subprocess.Popen(
        [sys.executable, "-m", "idcbench.cli.main", "up", "--name", "dies", "--control-planes", "1", "--nodes", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    async with asyncio.timeout(20):
        while not target.state.is_alive():
            await asyncio.sleep(0.02)
    command.kill()
    command.wait()
    async with asyncio.timeout(5):
        while target.state.is_alive():
            await asyncio.sleep(0.02)
    assert await target.down()


@pytest.mark.integration
async def test_a_cluster_whose_record_is_unreadable_is_ended_all_the_same(state_home: Path) -> None:  # noqa: ARG001
    target = EmbeddedTarget(name="odd")
    async with target.cluster(ClusterSpec(control_planes=1, nodes=0), keep=True) as made:
        made.state.record_file.write_text("{}")
    assert target.state.is_alive()
    with pytest.raises(ClusterError, match="another version of idcbench wrote it"):
        target.attach()
    assert await target.down()
    assert not target.state.is_alive()


def test_a_bench_cluster_has_one_member() -> None:
    assert checked(ClusterSpec(shape="bench", nodes=5000)).control_planes == 1
    with pytest.raises(UsageError, match="leave --control-planes out"):
        checked(ClusterSpec(shape="bench", control_planes=3, asked=frozenset({"control_planes"})))


def test_more_nodes_than_can_send_heartbeats_are_refused() -> None:
    with pytest.raises(UsageError, match="--shape bench"):
        checked(ClusterSpec(nodes=1001))


def test_only_what_was_asked_for_is_compared() -> None:
    there = ClusterSpec(control_planes=1, nodes=7, profile="fast")
    check_same(there, ClusterSpec(), "x")
    check_same(there, ClusterSpec(nodes=7, asked=frozenset({"nodes"})), "x")
    with pytest.raises(UsageError, match="--profile fast, not default"):
        check_same(there, ClusterSpec(asked=frozenset({"profile"})), "x")


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    state = StateDirectory(tmp_path / "file" / "embedded")
    with pytest.raises(ClusterError, match="set XDG_STATE_HOME"):
        state.create()
    with pytest.raises(ClusterError, match="set XDG_STATE_HOME"), state.locked():
        pass
