"""When a cluster counts as steady: the parts that are pure, and what is told of one that never answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idcbench.errors import ClusterError
from idcbench.kube.access import Access
from idcbench.kube.objects import Condition, Lease, LeaseSpec, Node, NodeStatus
from idcbench.measure.steady import is_held, is_ready, wait_until_steady

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("holder", "renewed_s_ago", "held"),
    [("cp1", 1, True), ("cp1", 16, False), ("", 1, False), (None, 1, False), ("cp1", None, False)],
)
def test_a_lease_is_held_while_it_is_renewed(holder: str | None, renewed_s_ago: int | None, held: bool) -> None:
    renewed = None if renewed_s_ago is None else (NOW - timedelta(seconds=renewed_s_ago)).isoformat()
    spec = LeaseSpec(holder_identity=holder, lease_duration_seconds=15, renew_time=renewed)
    assert is_held(Lease(spec=spec), now=NOW) is held


@pytest.mark.parametrize(
    ("conditions", "ready"),
    [
        (None, False),
        ((Condition(type="Ready", status="True"),), True),
        ((Condition(type="Ready", status="Unknown"),), False),
        ((Condition(type="MemoryPressure", status="True"),), False),
    ],
)
def test_a_node_is_ready_when_it_says_so(conditions: tuple[Condition, ...] | None, ready: bool) -> None:
    assert is_ready(Node(status=NodeStatus(conditions=conditions))) is ready


async def test_what_does_not_come_true_is_told(tmp_path: Path) -> None:
    access = Access(server="http://127.0.0.1:1", kubeconfig=tmp_path / "kubeconfig")
    with pytest.raises(ClusterError, match=r"did not become steady within 0.2 s: .*127\.0\.0\.1:1"):
        await wait_until_steady(access, nodes=0, leaders=("kube-scheduler",), limit_s=0.2)
