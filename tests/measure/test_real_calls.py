"""Objects of real size: as large and as labelled as asked for, and taken by the real API server over both protocols."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.cluster import ClusterSpec
from idcbench.kube.access import Access
from idcbench.kube.connection import Endpoint
from idcbench.measure.arrivals import constant
from idcbench.measure.calls import Call, Composer, Http
from idcbench.measure.loader import LoadPlan, run_load
from idcbench.measure.open_loop import Outcome
from idcbench.measure.real_calls import LABELS, create_config_map, create_deployment, create_pod, create_secret
from idcbench.provisioning.embedded.target import EmbeddedTarget

BUILDERS = (create_pod, create_deployment, create_config_map, create_secret)


@given(st.sampled_from(BUILDERS), st.integers(4000, 60_000), st.integers(2, 40))
def test_a_body_has_the_size_and_the_labels_that_were_asked_for(
    build: Callable[..., Call], size_bytes: int, labels: int
) -> None:
    call = build("x", size_bytes=size_bytes + 60 * labels, labels=labels)
    endpoint = Endpoint(host="h", address=("h", 1), family=2, tls=None)  # type: ignore[arg-type]
    body = Composer([call], endpoint, {})(0, 7).partition(b"\r\n\r\n")[2]
    assert 0 <= size_bytes + 60 * labels - len(body) <= (3 if build is create_secret else 0)
    made = json.loads(body)
    assert len(made["metadata"]["labels"]) == labels
    assert made["metadata"]["name"].endswith("-0000000007")


@pytest.mark.parametrize("build", BUILDERS)
def test_what_does_not_fit_is_refused(build: Callable[..., Call]) -> None:
    with pytest.raises(ValueError, match="100 bytes are wanted, but it has"):
        build("x", size_bytes=100)
    with pytest.raises(ValueError, match="at least 2 labels"):
        build("x", labels=1)


@pytest.mark.integration
async def test_the_real_api_server_takes_them_over_both_protocols() -> None:
    target = EmbeddedTarget(name=f"test-load-{os.getpid()}")
    async with target.cluster(ClusterSpec(control_planes=1, nodes=1), keep=False) as cluster:
        for http in ("1.1", "2"):
            await asyncio.to_thread(load, cluster.access, http)


def load(access: Access, http: Http) -> None:
    """Some of each, with reads of a list in between; names differ by their numbers, so each protocol has its own."""
    calls = [build("default", labels=LABELS) for build in BUILDERS]
    if http == "2":
        calls = [Call(name=call.name, method="POST", path=call.path, body=call.body.replace("load-", "again-", 1))
                 for call in calls]  # fmt: skip
    reads = Call(name="LIST pods", path="/api/v1/namespaces/default/pods?limit=50", weight=4)
    result = run_load(access, LoadPlan(planned_ns=constant(40, 3), calls=(*calls, reads), http=http, connections=40))
    assert set(result.sent["status"].tolist()) <= {200, 201}
    assert result.counts()[Outcome.OK] == 120
