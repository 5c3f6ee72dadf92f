"""A cluster that lives as long as a process: whose it is, and what is left when that process is gone."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from idcbench.cluster import ClusterSpec
from idcbench.errors import ClusterError, UsageError
from idcbench.provisioning.embedded.layout import Record
from idcbench.provisioning.embedded.target import EmbeddedTarget
from idcbench.provisioning.embedded.tied import TiedCluster

SPEC = ClusterSpec(control_planes=1, nodes=0)


@pytest.fixture
def target(state_home: Path) -> EmbeddedTarget:  # noqa: ARG001
    """One whose cluster is there, stopped."""
    found = EmbeddedTarget(name="tied")
    found.state.create()
    found.state.write_record(
        Record(spec=SPEC, kept=True, binaries="/x", kubernetes="1.37.2", etcd="3", provenance="")
    )  # fmt: skip
    return found


async def test_somebodys_cluster_is_not_taken(target: EmbeddedTarget) -> None:
    with pytest.raises(UsageError, match="embedded-tied is there already, and a comparison makes its own"):
        await TiedCluster(target, SPEC).start()


async def test_one_whose_owner_died_is_none(target: EmbeddedTarget) -> None:
    target.state.owner_file.touch()
    TiedCluster(target, SPEC).check()
    with pytest.raises(ClusterError, match="there is no cluster embedded-tied"):
        await target.stop()
    assert await target.down(), "what it left is removed all the same"
    assert not target.state.root.exists()


async def test_one_whose_owner_lives_is_one(target: EmbeddedTarget) -> None:
    with target.state.owner_file.open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        with pytest.raises(ClusterError, match="stopped already"):
            await target.stop()
        with pytest.raises(UsageError, match="is there already"):
            TiedCluster(target, SPEC).check()


async def test_what_was_never_made_ends_without_a_word(state_home: Path) -> None:  # noqa: ARG001
    await TiedCluster(EmbeddedTarget(name="never"), SPEC).end()


def test_a_bench_cluster_with_three_members_is_refused_before_anything(state_home: Path) -> None:  # noqa: ARG001
    spec = ClusterSpec(shape="bench", control_planes=3, asked=frozenset({"control_planes"}))
    with pytest.raises(UsageError, match="leave --control-planes out"):
        TiedCluster(EmbeddedTarget(name="never"), spec).check()
