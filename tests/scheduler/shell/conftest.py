"""One real cluster with both schedulers, for the tests of this folder that want it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from idcbench.cluster import ClusterSpec
from idcbench.provisioning.embedded.cluster import EmbeddedCluster
from idcbench.provisioning.embedded.target import EmbeddedTarget


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedCluster]:
    """One member with a few nodes; kube-scheduler serves default-scheduler, ours the name idcbench."""
    spec = ClusterSpec(control_planes=1, nodes=3, profile="fast", scheduler="both")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        async with EmbeddedTarget(name="schedulers").cluster(spec, keep=False) as made:
            yield made
