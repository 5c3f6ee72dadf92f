"""Which pods a cluster has to wait for: those that run or are to run, not those that are over."""

from __future__ import annotations

from typing import Any

import pytest

from idcbench.provisioning.kubeadm.verifying import has_ended


def pod(phase: str, *, owner: str = "ReplicaSet", **metadata: str) -> dict[str, Any]:
    return {"metadata": {"ownerReferences": [{"kind": owner}], **metadata}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("one", "ended"),
    [
        (pod("Running"), False),
        (pod("Pending"), False),
        (pod("Succeeded"), True),
        (pod("Running", deletionTimestamp="2026-11-28T00:00:00Z"), True),
        (pod("Failed"), True),  # as kubelet leaves it after a shutdown of its host; another is in its place
        (pod("Failed", owner="Node"), False),  # a static pod: nobody makes another
        ({"metadata": {}, "status": {"phase": "Failed"}}, False),
    ],
)
def test_what_is_over_is_not_waited_for(one: dict[str, Any], ended: bool) -> None:
    assert has_ended(one) == ended
